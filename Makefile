# steve, a system-wide jobserver. `make help` lists the targets and what can be set.

CARGO      ?= cargo
CARGOFLAGS ?=
TARGET     ?= $(CARGO_BUILD_TARGET)
BUILDDIR   ?= $(or $(CARGO_TARGET_DIR),target)

# Where things go. The GNU names in small letters work too.
prefix        ?= /usr/local
PREFIX        ?= $(prefix)
exec_prefix   ?= $(PREFIX)
bindir        ?= $(exec_prefix)/bin
datarootdir   ?= $(PREFIX)/share
mandir        ?= $(datarootdir)/man
docdir        ?= $(datarootdir)/doc/steve
sysconfdir    ?= /etc
BINDIR        ?= $(bindir)
MANDIR        ?= $(mandir)
DOCDIR        ?= $(docdir)
SYSCONFDIR    ?= $(sysconfdir)
UNITDIR       ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR   ?= $(PREFIX)/lib/sysusers.d
MODULESLOADDIR ?= $(PREFIX)/lib/modules-load.d
# eudev looks into no /usr/local.
UDEVDIR       ?= $(if $(filter /usr,$(PREFIX)),/usr/lib/udev,$(SYSCONFDIR)/udev)
BASHCOMPDIR   ?= $(datarootdir)/bash-completion/completions
ZSHCOMPDIR    ?= $(datarootdir)/zsh/site-functions
FISHCOMPDIR   ?= $(datarootdir)/fish/vendor_completions.d

# What is installed beside the programs and their pages: 1 or 0, found out from this machine.
there          = $(if $(wildcard $(1)),1,0)
SYSTEMD       ?= $(call there,/lib/systemd/system /usr/lib/systemd/system)
OPENRC        ?= $(call there,/sbin/openrc-run /usr/sbin/openrc-run)
UDEV          ?= $(call there,/lib/udev/rules.d /usr/lib/udev/rules.d)
MDEV          ?= $(call there,/etc/mdev.conf)
SANDBOX       ?= $(call there,/etc/sandbox.conf /etc/sandbox.d)
COMPLETIONS   ?= 1
DOCS          ?= 1

INSTALL       ?= install

BUILT := $(BUILDDIR)/$(if $(TARGET),$(TARGET)/)release

# Every file as MODE:SOURCE:DESTINATION; in a SOURCE that ends in .in, @BINDIR@ is filled in.
FILES := \
	0755:$(BUILT)/steve:$(BINDIR)/steve \
	0755:$(BUILT)/stevie:$(BINDIR)/stevie \
	0644:man/steve.8:$(MANDIR)/man8/steve.8 \
	0644:man/stevie.1:$(MANDIR)/man1/stevie.1
ifeq ($(SYSTEMD),1)
FILES += \
	0644:data/steve.service.in:$(UNITDIR)/steve.service \
	0644:data/sysusers.conf:$(SYSUSERSDIR)/steve.conf \
	0644:data/modules-load.conf:$(MODULESLOADDIR)/steve.conf
endif
ifeq ($(OPENRC),1)
FILES += \
	0755:data/openrc/steve.initd.in:$(SYSCONFDIR)/init.d/steve \
	0644:data/openrc/steve.confd:$(SYSCONFDIR)/conf.d/steve
endif
ifeq ($(UDEV),1)
FILES += 0644:data/90-steve.rules:$(UDEVDIR)/rules.d/90-steve.rules
endif
ifeq ($(MDEV),1)
FILES += 0644:data/mdev.conf:$(DOCDIR)/mdev.conf
endif
ifeq ($(SANDBOX),1)
FILES += 0644:data/90steve:$(SYSCONFDIR)/sandbox.d/90steve
endif
ifeq ($(COMPLETIONS),1)
FILES += \
	0644:data/completions/steve.bash:$(BASHCOMPDIR)/steve \
	0644:data/completions/stevie.bash:$(BASHCOMPDIR)/stevie \
	0644:data/completions/_steve:$(ZSHCOMPDIR)/_steve \
	0644:data/completions/_stevie:$(ZSHCOMPDIR)/_stevie \
	0644:data/completions/steve.fish:$(FISHCOMPDIR)/steve.fish \
	0644:data/completions/stevie.fish:$(FISHCOMPDIR)/stevie.fish
endif
ifeq ($(DOCS),1)
FILES += \
	0644:README.md:$(DOCDIR)/README.md \
	0644:CHANGELOG.md:$(DOCDIR)/CHANGELOG.md \
	0644:LICENSE:$(DOCDIR)/LICENSE
endif

# Takes one of FILES apart in the shell: $$mode, $$source and $$file.
split = mode=$${entry%%:*}; file=$(DESTDIR)$${entry\#\#*:}; source=$${entry\#*:}; source=$${source%:*}

.PHONY: all install uninstall clean help demo

all: ## build both programs (the default)
	$(CARGO) build --release --locked --target-dir '$(BUILDDIR)' $(if $(TARGET),--target '$(TARGET)') $(CARGOFLAGS) --bins

# Runs no cargo: what `make` built as one user, `make install` only copies as another. A
# configuration under SYSCONFDIR/conf.d that somebody changed is left as it is.
install: | $(filter all,$(MAKECMDGOALS)) ## put what `make` built in place, under DESTDIR where that is set
	@if ! [ -x '$(BUILT)/steve' ] || ! [ -x '$(BUILT)/stevie' ]; then \
		echo "nothing built in $(BUILT): run \`make\` first" >&2; exit 1; \
	fi
	@set -e; umask 022; for entry in $(FILES); do \
		$(split); \
		case $$file in */conf.d/*) if [ -e "$$file" ]; then echo "kept $$file"; continue; fi;; esac; \
		[ -d "$${file%/*}" ] || $(INSTALL) -d -m 0755 "$${file%/*}"; \
		case $$source in \
		*.in) sed 's|@BINDIR@|$(BINDIR)|g' "$$source" > "$$file"; chmod "$$mode" "$$file";; \
		*) $(INSTALL) -m "$$mode" "$$source" "$$file";; \
		esac; \
		echo "$$file"; \
	done

uninstall: ## remove what `make install` with the same settings put there
	@set -e; for entry in $(FILES); do \
		$(split); \
		case $$file in */conf.d/*) if [ -e "$$file" ] && ! cmp -s "$$source" "$$file"; then \
			echo "kept $$file, which was changed"; continue; fi;; esac; \
		rm -f "$$file"; \
	done
	@if [ -d '$(DESTDIR)$(DOCDIR)' ]; then rmdir '$(DESTDIR)$(DOCDIR)' 2>/dev/null || :; fi

clean: ## remove what `make` built
	$(CARGO) clean --target-dir '$(BUILDDIR)'

demo: all ## build, then show two builds sharing one pool of four jobs
	@test/demo '$(BUILT)'

# Tests. One suite for both transports: a file over /dev/fuse here, a device over /dev/cuse in a
# guest. With CI set nothing is skipped.
GUEST := target."cfg(unix)".runner=["test/guest","-t","900"]
check: export CARGO_TARGET_DIR := $(abspath $(BUILDDIR))
check: export RUST_BACKTRACE := 0
.PHONY: check check-device check-trip bench
check: ## run every test there is
	test/setup
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' $(CARGO) doc --locked --no-deps --document-private-items
	$(CARGO) test --locked --lib --bins --test allocation --test simulation
	TRANSPORT=fuse $(CARGO) test --locked --test suite
	$(CARGO) build --locked --bins --examples
	test/matrix/run '$(BUILDDIR)/debug'
	$(MAKE) --no-print-directory all
	test/packaging '$(BUILT)'
	$(MAKE) --no-print-directory -j2 --output-sync check-device check-trip

# In the guest, which has one CPU: two of them at a time.
check-device:
	$(CARGO) test --locked --lib --config '$(GUEST)' -- --ignored sys::cuse
	TRANSPORT=cuse $(CARGO) test --locked --test suite --config '$(GUEST)' -- --test-threads=2

check-trip:
	BUILT='$(BUILT)' test/trip

# Figures beside a floor server and a FIFO, with their bounds. BENCHFLAGS: --json, --no-guest, or the
# names of single measurements; `test/bench/bench --help`.
BENCHFLAGS ?=
BENCH := $(abspath $(BUILDDIR))/bench
bench: export CARGO_TARGET_DIR := $(abspath $(BUILDDIR))
bench: all ## measure, and hold the figures to their bounds
	@test/setup
	@mkdir -p '$(BENCH)'
	@$(CC) -O2 -o '$(BENCH)/floor' test/bench/floor.c
	@$(CC) -O2 -o '$(BENCH)/client' test/bench/client.c
	@test/bench/bench --built '$(abspath $(BUILT))' --helpers '$(BENCH)' \
		--make "$$CARGO_TARGET_DIR/clients/bin/make" $(BENCHFLAGS)
	$(if $(strip $(BENCHFLAGS)),,@$(CARGO) test --quiet --locked --test simulation)

help: ## say this
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'Set on the command line, here with their values now:'
	@$(foreach name,CARGO CARGOFLAGS TARGET BUILDDIR DESTDIR PREFIX BINDIR MANDIR DOCDIR SYSCONFDIR UNITDIR \
		SYSUSERSDIR MODULESLOADDIR UDEVDIR BASHCOMPDIR ZSHCOMPDIR FISHCOMPDIR \
		SYSTEMD OPENRC UDEV MDEV SANDBOX COMPLETIONS DOCS,printf '  %-16s%s\n' '$(name)' '$($(name))';)
