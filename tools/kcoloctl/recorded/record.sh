#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Record anew what kcoloctl and the kernel say to each other, in an emulated host.
# Takes a minute. README.md beside this file says what to do then.
#
# usage: record.sh [KERNEL]

set -e
cd "$(dirname "$0")/../../.."
kernel=${1:-6.12}
out=build/record
make --no-print-directory -C tools all test-tools
make --no-print-directory -C selftests/vmm
make --no-print-directory -C selftests/nlclient
selftests/host/build-module.sh "$kernel"
rm -rf $out
mkdir -p $out
chmod 755 $out
selftests/host/khost --kernel "$kernel" --cpus 1 --timeout 200 --out $out \
	-- 'sh tools/kcoloctl/recorded/in-host.sh'
rm -f tools/kcoloctl/recorded/*.nl
# How the family is found is the same each time.
python3 - $out/recorded tools/kcoloctl/recorded <<'END'
import pathlib, sys
source, target = map(pathlib.Path, sys.argv[1:])
spdx, found = '# SPDX-License-Identifier: GPL-2.0\n', None
for file in sorted(source.glob('*.nl')):
    text = file.read_text().removeprefix(spdx)
    head, mark, rest = text.partition('open 1 ')
    found = found or (head if mark else None)
    if head == found and mark:
        text = 'include family.nl\n' + mark + rest
    (target / file.name).write_text(spdx + text)
(target / 'family.nl').write_text(spdx + found)
END
