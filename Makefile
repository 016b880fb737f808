# SPDX-License-Identifier: Apache-2.0
# The daily commands. Each does its own set-up; `make help` lists them.

BUILD ?= build
PYTEST = /usr/bin/python3 -m pytest -q

.PHONY: help build run test check bench fuzz interop install format clean setup-build setup-test setup-bench

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

setup-build:
	@tools/setup build

setup-test:
	@tools/setup test

setup-bench:
	@tools/setup bench

$(BUILD)/build.ninja: | setup-build
	@echo "build: preparing $(BUILD)/"
	@meson setup $(BUILD) >/dev/null

build: $(BUILD)/build.ninja ## build/lockstep
	@ninja -C $(BUILD) -n 2>/dev/null | grep -q 'no work' || echo "build: compiling (about a minute the first time)"
	@ninja -C $(BUILD) --quiet

run: build ## a primary and a secondary on this machine; ZONE=FILE ORIGIN=NAME for a zone of your own
	@/usr/bin/python3 tools/run --lockstep $(BUILD)/lockstep $(if $(ZONE),--zone '$(ZONE)') $(if $(ORIGIN),--origin '$(ORIGIN)')

check: setup-test build ## the quick part of the tests: format, layers, unit tests
	@tools/format --check
	@meson test -C $(BUILD) --quiet --print-errorlogs

test: check ## everything but the sanitizer builds: also functional tests, corpora, interop
	@$(PYTEST) tests/functional tests/interop

interop: setup-test build ## against BIND, Knot and NSD
	@$(PYTEST) tests/interop

bench: setup-bench build ## against the peers, 15 minutes; BENCH="udp load" picks, BENCH_SCALE=small 2 minutes, BENCH_SAVE=yes
	@/usr/bin/python3 tests/bench/bench.py --build '$(BUILD)' $(if $(BENCH_SCALE),--scale '$(BENCH_SCALE)') $(if $(filter yes,$(BENCH_SAVE)),--save) $(if $(BENCH_ROUNDS),--rounds '$(BENCH_ROUNDS)') $(if $(BENCH_SERVERS),--servers '$(BENCH_SERVERS)') $(BENCH)

fuzz: setup-test ## each fuzz target for FUZZ_SECONDS (60)
	@tools/fuzz $(or $(FUZZ_SECONDS),60)

format: ## clang-format on every file
	@tools/format

install: build ## into DESTDIR and the prefix
	@meson install -C $(BUILD)

clean: ## removes the build folders
	rm -rf build build-*
