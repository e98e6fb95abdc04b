# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# results: the results in what a job printed, each as "ok ..." or "not ok ...".
# A host prefixes its lines, a harness indents its subtests, the runner of
# kselftests makes comments of them: a file of tests is a result itself only if
# it failed otherwise than by one of them.
results() {
	sed -nu -e '/ok [0-9]* selftests: [^#]*\(# exit=1\)\?$/d' \
		-e 's/^\([ab]| \)\? *\(# \)\?\(\(not \)\?ok .*\)/\3/p'
}
