#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# QEMU with one thing left out, each in a build of its own: a test has to see it.
#
#	mutants.sh prepare	build them, in build/qemu/mutants
#	mutants.sh		on an emulated host: run the tests that are to fail
#
# mutants/NAME.patch says in its head which test, and what that says then.
cd "$(dirname "$0")/../.." || exit 1
here=selftests/qemu/mutants
there=build/qemu/mutants

if [ "$1" = prepare ]; then
	mkdir -p $there
	for patch in $here/*.patch; do
		name=$(basename "$patch" .patch)
		dir=$(qemu/build.py --mutant "$patch") || exit 1
		rm -rf "${there:?}/$name"
		cp -a "$dir" "$there/$name"
	done
	exit 0
fi

for patch in $here/*.patch; do
	name=$(basename "$patch" .patch)
	test=$(sed -n 's/^Caught-by: //p' "$patch")
	says=$(sed -n 's/^Says: //p' "$patch")
	log=${KCOLO_OUT:-/tmp}/mutant-$name.log
	QEMU=$there/$name/bin/qemu-system-x86_64 selftests/qemu/run.py "$test" >"$log" 2>&1
	if grep -q "^not ok .*$test" "$log" && grep -q "${says:?$patch}" "$log"; then
		echo "ok mutant-$name"
	else
		sed 's/^/# /' "$log"
		echo "not ok mutant-$name"
	fi
done
