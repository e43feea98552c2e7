# whittle: everything a person or CI does with the project.
#
#   make demo      see it work, from nothing: system packages, build, base image, two builds of one application
#   make test      every test; needs root or sudo (images are built, mounted and started)
#   make check     format, lint, layers, imports and the small tests; needs neither root nor network
#   make fuzz      feed the parsers with what libFuzzer thinks of, for FUZZ_SECONDS (600); findings in .build/fuzz
#   make torture   kill builds at 500 moments, interrupt 100, let every file operation fail once: about an hour
#   make conformance  build the cases below Conformance/; PEER='buildah' or PEER='buildctl --addr ADDRESS' compares as well
#   make examples  build and check Examples/; scripts/examples.sh --as-user compares root's with an ordinary user's
#   make bench     measure against other builders; results in Benchmarks/RESULTS.md
#   make install   the program, shell completions and the man page below $(DESTDIR)$(PREFIX)
#   make format    format the sources

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
JOBS ?= $(shell nproc)

# The Swift runtime is linked in: the program starts in half the time and runs where no Swift is installed. Without its
# symbols it is a third of the size, and starts a sixth faster.
RELEASE_FLAGS := --configuration release --static-swift-stdlib -Xlinker -s --product whittle
RELEASE := .build/release/whittle
# A dependency that a target imports without declaring it is an error, and not a matter of what was built before.
DEBUG_FLAGS := --explicit-target-dependency-import-check error
DEBUG := .build/debug/whittle
GENERATED := .build/generated

.PHONY: all release demo test conformance fuzz torture check lint format examples integration bench install uninstall generated clean \
    setup-build setup-demo setup-test setup-bench

all: release

release: setup-build
	$(SWIFT) build $(RELEASE_FLAGS) --jobs $(JOBS)

demo: setup-demo release
	scripts/demo.sh $(RELEASE)

# One configuration, built once: the tests of the program run the debug build. One test after the other: side by side on a
# small machine, those that wait for a server or a process would run into their time limits while others compute.
test: setup-test lint
	$(SWIFT) build --build-tests $(DEBUG_FLAGS) --jobs $(JOBS)
	$(SWIFT) test --skip-build --no-parallel
	WHITTLE=$(DEBUG) Tests/integration/run.sh
	WHITTLE=$(DEBUG) Conformance/run.sh
	WHITTLE=$(DEBUG) TORTURE_KILLS=10 TORTURE_SIGNALS=4 Tests/torture/run.sh
	WHITTLE=$(DEBUG) FAULTS_SAMPLE=6 Tests/faults/run.sh

conformance: setup-test
	$(SWIFT) build $(DEBUG_FLAGS) --product whittle --jobs $(JOBS)
	WHITTLE=$(DEBUG) Conformance/run.sh $(if $(PEER),--peer $(PEER))

# The debug build, because faults are put between the program and a C library that it loads.
torture: setup-test
	$(SWIFT) build $(DEBUG_FLAGS) --product whittle --jobs $(JOBS)
	WHITTLE=$(DEBUG) Tests/torture/run.sh
	WHITTLE=$(DEBUG) Tests/faults/run.sh

# The tests that start programs or need root are in targets of their own names.
check: setup-build lint
	$(SWIFT) build --build-tests $(DEBUG_FLAGS) --jobs $(JOBS)
	$(SWIFT) test --skip-build --no-parallel --skip WhittleEngineTests --skip WhittleRuntimeTests --skip WhittleRegistryTests

fuzz: setup-build
	Tests/fuzz/run.sh

lint:
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests Benchmarks

format:
	$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests Benchmarks

examples: setup-test release
	WHITTLE=$(RELEASE) scripts/examples.sh

integration: setup-test release
	WHITTLE=$(RELEASE) Tests/integration/run.sh

bench: setup-bench release
	Benchmarks/run.py $(RELEASE)

# Completions and the man page come out of the argument definitions.
generated: release
	scripts/generate.sh $(RELEASE) $(GENERATED)

install: generated
	install -D -m 755 $(RELEASE) $(DESTDIR)$(PREFIX)/bin/whittle
	install -D -m 644 $(GENERATED)/whittle.1 $(DESTDIR)$(PREFIX)/share/man/man1/whittle.1
	install -D -m 644 $(GENERATED)/whittle.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/whittle
	install -D -m 644 $(GENERATED)/_whittle $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_whittle
	install -D -m 644 $(GENERATED)/whittle.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/whittle.fish

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/whittle $(DESTDIR)$(PREFIX)/share/man/man1/whittle.1 \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/whittle \
	    $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_whittle \
	    $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/whittle.fish

clean:
	rm -rf .build .cache

setup-build:
	@scripts/setup.sh build run

setup-demo:
	@scripts/setup.sh demo

setup-test:
	@scripts/setup.sh test

setup-bench:
	@scripts/setup.sh bench
