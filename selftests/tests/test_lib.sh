# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# A test that sources this is a kselftest: it is run once more, by itself, for
# its results to be numbered and its exit status to tell of them.
. "$(dirname "$0")/lib.sh"

# What a runner of many tests has made already.
set_up() {
	if [ ! -d /sys/module/kcolo ]; then
		needed_modules
		insmod "$MODULE" || return
	fi
	[ -e /run/netns/b ] || network
}

uptime() { cut -d. -f1 /proc/uptime; }

if [ "$KCOLO_TEST" != "$0" ]; then
	began=$(uptime)
	{
		set_up && KCOLO_TEST=$0 sh "$0" "$@"
		code=$?
		echo "# it took $(($(uptime) - began)) s"
		echo "exit $code"
	} | ktap "$(basename "$0" .sh)"
	exit
fi
