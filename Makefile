# The only entrance, for people and for CI alike. `make` lists the targets.

# Where SwiftPM builds. Another folder keeps two builds apart: make test SCRATCH=.build-asan
SCRATCH ?= .build
# What `make run` builds: debug starts sooner after a change, release runs faster.
BUILD ?= debug
# What `make install` makes of this machine: dev, staging or prod.
ENV ?= prod
DESTDIR ?=
SUDO = $(shell [ $$(id -u) = 0 ] || echo sudo)
# Handed to `taskq up` by `make run`.
ARGS ?=
# Parts of the benchmark, by name with commas between: make bench ONLY=post,drain
ONLY ?=
# Histories of `make sim`, the first of their seeds, or one seed to replay; ARGS goes to taskq-sim.
COUNT ?= 2000
FIRST ?= 1
SEED ?=
JOBS ?= 2
# Where `make sabotage` writes its table; nowhere unless said.
DOCUMENT ?=

SWIFT_BUILD = swift build --scratch-path $(SCRATCH)
PROCESSOR = plugins/tasks/processor

.DEFAULT_GOAL := help
.PHONY: help build release install run test crash units sweeps check fmt bench sim sabotage clean install-deps check-swift

help:
	@echo "make run            build, then run the whole stack in the foreground (BUILD=release, ARGS=...)"
	@echo "make build          debug build"
	@echo "make release        release build"
	@echo "make test           build everything and run all tests"
	@echo "make crash          every system call of the broker fails once; 300 kills under load; full disks"
	@echo "make sweeps         every bit of a journal flipped, every byte cut, zeroed and overwritten"
	@echo "make units          the units on a real systemd: 200 kills under load, 120,000 lines of noise"
	@echo "make install        release build with its runtime, into DESTDIR= for ENV=prod"
	@echo "make check          format lint and the tests of the repository itself"
	@echo "make fmt            format the sources in place"
	@echo "make bench          release build, then the benchmark (ONLY=post,drain,groups,million,latency)"
	@echo "make sim            release build, then histories of the broker under faults (COUNT=n, or SEED=n)"
	@echo "make sabotage       breaks each rule on purpose and shows that the simulation notices (ARGS=--only=NAME)"
	@echo "make install-deps   install missing Debian packages; the other targets do it first"
	@echo "make clean          remove what was built"

check-swift:
	@scripts/check-swift

install-deps: check-swift
	@scripts/install-dependencies

build: install-deps
	$(SWIFT_BUILD)
	@scripts/install-processor $(SCRATCH)/debug/tasks-processor $(PROCESSOR)

# DESTDIR stands before every path; ENV names the file of config/ that says how this machine differs.
install: install-deps
	$(SWIFT_BUILD) -c release --static-swift-stdlib
	$(if $(DESTDIR),,$(SUDO)) scripts/install $(SCRATCH)/release "$(DESTDIR)" $(ENV)

release: install-deps
	$(SWIFT_BUILD) -c release
	@scripts/install-processor $(SCRATCH)/release/tasks-processor $(PROCESSOR)

run: $(if $(filter release,$(BUILD)),release,build)
	@exec $(SCRATCH)/$(BUILD)/taskq up $(ARGS)

test: install-deps
	$(SWIFT_BUILD) --build-tests
	@scripts/install-processor $(SCRATCH)/debug/tasks-processor $(PROCESSOR)
	# One at a time: many tests are real processes, and each has the machine's cores to itself.
	swift test --scratch-path $(SCRATCH) --skip-build --no-parallel

crash: install-deps
	$(SWIFT_BUILD) --build-tests
	TASKQ_CRASH=whole TASKQ_KILLS=100 swift test --scratch-path $(SCRATCH) --skip-build --no-parallel --filter 'CrashTests|KillTests'

units: install-deps
	$(SWIFT_BUILD) --build-tests
	TASKQ_UNIT_KILLS=200 TASKQ_NOISY_LINES=120000 swift test --scratch-path $(SCRATCH) --skip-build --no-parallel --filter InstallationTests

sweeps: install-deps
	$(SWIFT_BUILD) --build-tests
	TASKQ_SWEEPS=whole swift test --scratch-path $(SCRATCH) --skip-build --no-parallel --filter SweepTests

check: install-deps
	swift format lint --strict --recursive Sources Tests plugins examples Package.swift
	python3 -B Tests/Sabotage/run.py --check
	$(SWIFT_BUILD) --build-tests
	swift test --scratch-path $(SCRATCH) --skip-build --filter RepositoryTests

fmt: check-swift
	swift format --in-place --recursive Sources Tests plugins examples Package.swift

bench: release
	@$(MAKE) --no-print-directory -C Benchmarks/load OUT=$(abspath $(SCRATCH))/bench
	python3 -B Benchmarks/bench.py --bin $(SCRATCH)/release --load $(SCRATCH)/bench $(if $(ONLY),--only $(ONLY))

sim: install-deps
	$(SWIFT_BUILD) -c release --product taskq-sim
	@$(SCRATCH)/release/taskq-sim $(if $(SEED),--seed $(SEED),--count $(COUNT) --first $(FIRST) --jobs $(JOBS)) $(ARGS)

sabotage: install-deps
	python3 -B Tests/Sabotage/run.py --work $(SCRATCH)/sabotage $(if $(DOCUMENT),--document $(DOCUMENT)) $(ARGS)

clean: check-swift
	rm -rf $(SCRATCH) $(PROCESSOR)
