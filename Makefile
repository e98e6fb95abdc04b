# SPDX-License-Identifier: GPL-2.0
#
# make            the module for KDIR, libkcolo and kcoloctl
# make install    and where they belong; make uninstall takes them away
# make deb        Debian packages of all of it
# make check      all tests, in emulated hosts; needs root for apt-get
# make help       the rest

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr
KERNELS ?= 6.1 6.12 debug
MODDIR ?= build/module
export KERNELS

all: module tools

# kbuild builds a module where its sources are: not in the checkout.
module:
	@test -e $(KDIR)/Makefile || { \
		echo "no kernel headers at $(KDIR): apt-get install linux-headers-$$(uname -r)," \
			"or make KDIR=/usr/src/linux-headers-VERSION" >&2; exit 1; }
	@command -v rsync >/dev/null || { \
		echo "no rsync: apt-get install rsync, or run selftests/host/deps.sh build" >&2; exit 1; }
	@mkdir -p $(MODDIR)
	@rsync -rlt --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod*' \
		--exclude='.*.cmd' Kbuild kernel include $(MODDIR)/
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(MODDIR) KCOLO_MUTANT=$(KCOLO_MUTANT) modules

tools:
	$(MAKE) -C tools

# Of the kernel that KDIR belongs to, which need not be the running one. Debian's
# "make kernelrelease" says something else.
RELEASE = $(shell cut -d'"' -f2 $(KDIR)/include/generated/utsrelease.h)
INSTALLED = $(DESTDIR)/lib/modules/$(RELEASE)/updates/kcolo.ko
# Below DESTDIR nobody looks for modules: who installs the package runs it.
DEPMOD = $(if $(DESTDIR),@:,PATH=$$PATH:/usr/sbin:/sbin depmod $(RELEASE))
# Headers have no System.map, which kbuild's own depmod wants, and no key, which
# their configuration says there is.
KBUILD_INSTALL = INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=updates cmd_depmod=: \
	$(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)

install: module tools
	$(MAKE) -C $(KDIR) M=$(CURDIR)/$(MODDIR) $(KBUILD_INSTALL) modules_install
	$(DEPMOD)
	$(MAKE) -C tools install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

uninstall:
	rm -f $(INSTALLED) $(INSTALLED).gz $(INSTALLED).xz $(INSTALLED).zst
	$(DEPMOD)
	$(MAKE) -C tools uninstall PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

clean:
	rm -rf build

deps:
	@selftests/host/deps.sh all

deps-qemu: deps
	@selftests/host/deps.sh qemu

deps-deb:
	@selftests/host/deps.sh deb

deb: deps-deb
	@packaging/build.sh

lint: deps
	@selftests/lint.sh

unit: deps
	@$(MAKE) --no-print-directory -C selftests/unit run

check: deps-qemu deps-deb
	@selftests/check.sh

# 6.12 unless KERNEL says 6.1; Linux in QEMU unless GUEST is small, in a small VMM.
demo: $(if $(filter small,$(GUEST)),deps,deps-qemu)
	@python3 selftests/demo/$(if $(filter small,$(GUEST)),small,colo)/demo.py \
		$(if $(KERNEL),--kernel $(KERNEL))

# 6.12 unless KERNEL says 6.1; PHASES="stream idle staging".
bench: deps
	@python3 selftests/bench/bench.py $(if $(KERNEL),--kernel $(KERNEL)) $(PHASES)

# As a client of kcolo: Debian 12's source, patched.
qemu:
	@selftests/host/deps.sh build
	@selftests/host/deps.sh qemu
	@mkdir -p build/qemu
	@dir=$$(qemu/build.py) && cp -a "$$dir"/* build/qemu/ && ls build/qemu/bin/*

# COLO with each backend; 6.12 unless KERNEL says 6.1.
bench-colo: deps-qemu
	@selftests/qemu/bench/bench.py $(if $(KERNEL),--kernel $(KERNEL))

# The debug kernel only when it is asked for.
check-qemu: deps-qemu
	@$(if $(filter file,$(origin KERNELS)),KERNELS="6.1 6.12") selftests/qemu/check.sh

# QEMU's own tests of migration, on the patched tree and on the unpatched.
qtest: deps-qemu
	@selftests/qemu/qtest.sh

soak: deps-qemu
	@selftests/soak.sh

help:
	@echo 'make             the module (KDIR=$(KDIR)), libkcolo, kcoloctl'
	@echo 'make install     PREFIX=$(PREFIX) DESTDIR='
	@echo 'make uninstall   with the same KDIR, PREFIX and DESTDIR'
	@echo 'make deb         kcolo-dkms, kcolo-utils, libkcolo0, libkcolo-dev, in build/deb'
	@echo 'make clean       remove build/'
	@echo 'make deps        apt-get what building and testing need (as root);'
	@echo '                 deps-qemu: and what QEMU needs; deps-deb: what packages need'
	@echo 'make lint        W=1 -Werror, sparse, checkpatch, kernel-doc, generated code'
	@echo 'make unit        policy and wire protocol in user space'
	@echo 'make check       lint, unit and the kselftests in emulated hosts,'
	@echo '                 KERNELS="$(KERNELS)"'
	@echo 'make qemu        QEMU with kcolo, in build/qemu; 5 minutes the first time'
	@echo 'make check-qemu  of make check, what QEMU is in; KERNELS="6.1 6.12"'
	@echo 'make bench-colo  COLO with each backend, in turns; KERNEL=6.12 or 6.1; writes'
	@echo '                 build/bench-colo.json and .svg'
	@echo "make qtest       QEMU's own tests of migration, patched and unpatched, and that"
	@echo '                 COLO without kcolo sends what it sent before'
	@echo 'make soak        10,000 checkpoints, 1,200 failovers and 1,000 cuts, for hours;'
	@echo '                 KERNEL=6.12, 6.1 or debug, CHECKPOINTS=10000 KILLS=1000'
	@echo '                 QEMU_KILLS=200 RECONNECTS=1000'
	@echo 'make demo        a Linux guest in QEMU is protected, its host dies, it goes on on'
	@echo '                 another one, in two emulated hosts; KERNEL=6.12 or 6.1; writes'
	@echo '                 build/demo.json; GUEST=small: a small VMM, no QEMU to be built'
	@echo 'make bench       rates, idle cost and memory, in an emulated host whose clock'
	@echo '                 counts instructions; KERNEL=6.12 or 6.1; writes build/bench.json'

.PHONY: all module tools install uninstall clean deps deps-qemu deps-deb deb lint unit check demo bench qemu \
	bench-colo check-qemu qtest soak help
