# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# results: the results in what a job printed, each as "ok ..." or "not ok ...".
# A host prefixes its lines, a harness indents its subtests, the runner of
# kselftests makes comments of them: a file of tests is a result itself only if
# it failed otherwise than by one of them. A host whose emulator failed is tried
# once more, and says so: "# retry".
results() {
	sed -nu -e 's/^khost: emulator faults: /# retry: /p' -e '/ok [0-9]* selftests: [^#]*\(# exit=1\)\?$/d' \
		-e 's/^\([ab]| \)\? *\(# \)\?\(\(not \)\?ok .*\)/\3/p'
}

# last_attempt FILE: what FILE has of results before a retry is not in it any more
last_attempt() {
	awk '/^# retry/ { n = 0; retries = retries $0 "\n"; next }
	     { line[n++] = $0 }
	     END { printf "%s", retries; for (i = 0; i < n; i++) print line[i] }' \
		"$1" >"$1.last" && mv "$1.last" "$1"
}

# settle NAME TAP LOG STATUS: of a job that has ended, one that fails or says nothing
# without saying which test is a failed test itself
settle() {
	last_attempt "$2"
	if [ "$4" -ne 0 ] && ! grep -q '^not ok' "$2"; then
		tail -n 20 "$3"
		echo "not ok $1 exited with $4" | tee -a "$2"
	fi
	grep -q '^\(not \)\?ok' "$2" || echo "not ok $1 ran no test" | tee -a "$2"
}
