# All targets work alone, first time, in a fresh clone. `make` lists them.
VENV := .venv
BIN := $(VENV)/bin
# the program's arguments, as in: make run ARGS="--source demo --port 9000"
ARGS ?=
# pytest's arguments, as in: make test PYTEST_ARGS="-k tracker -x"
PYTEST_ARGS ?=
# the revision to compare with
REV ?= HEAD
# how long the long run is
MINUTES ?= 60
# what a package is for, unless for this machine: bookworm or trixie, amd64 or arm64
SUITE ?=
ARCH ?=

# An environment holds the paths of its checkout and of its Python: moved, copied or upgraded, it is made anew.
identity := echo "$(CURDIR) $$(readlink -f $(BIN)/python)"
ifneq ($(shell cat $(VENV)/.device 2>/dev/null),$(shell $(identity)))
STALE := FORCE
endif

.PHONY: help setup run deb test test-slow lint check boards bench bench-compare soak clean FORCE

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 15

setup: $(VENV)/.device ## install what the device needs
	@$(fetch)

run: setup ## watch a camera, or the demo where there is none; ARGS="…" are passed on
	@exec $(BIN)/emotion-edge run $(ARGS)

deb: $(VENV)/.device ## build a Debian package into dist/; SUITE=trixie ARCH=arm64 choose what for
	@$(BIN)/python -m pip install --quiet 'hatchling>=1.24' packaging
	@$(BIN)/python -m deploy.debian $(if $(SUITE),--suite $(SUITE)) $(if $(ARCH),--arch $(ARCH))

test: $(VENV)/.dev ## run the tests but the slow ones; PYTEST_ARGS="…" are passed on
	@$(fetch)
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

test-slow: $(VENV)/.dev ## run the tests that take minutes
	@$(fetch)
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

lint: $(VENV)/.dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test ## everything a change has to pass

boards: $(VENV)/.dev ## try the program on emulated Raspberry Pi boards, as root; prints a table; ARGS="…" are passed on
	@$(fetch)
	@$(BIN)/python -m tests.stages.arm64_matrix $(ARGS)

bench: $(VENV)/.dev ## measure this machine, write .benchmarks/report.md; ARGS="…" are passed on
	@$(fetch)
	$(BIN)/python -m benchmarks $(ARGS)

bench-compare: $(VENV)/.dev ## is the working tree slower than revision REV, HEAD unless given? ARGS="…" are passed on
	@$(fetch)
	@$(BIN)/python -m benchmarks.gate $(REV) $(ARGS)

soak: $(VENV)/.dev ## watch the program run for MINUTES, 60 unless given, does anything grow; ARGS="…" are passed on
	@$(fetch)
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES) $(ARGS)

clean: ## remove the environment and all caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .benchmarks build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Without a network there is Haar to find faces with; the program says so when it starts.
fetch = $(BIN)/emotion-edge models fetch >/dev/null || echo "Going on without the better face detectors." >&2

$(VENV)/.device: pyproject.toml deploy/environment.sh $(STALE)
	@sh deploy/environment.sh $(VENV) .
	@$(identity) >$@

# holds all of .device as well
$(VENV)/.dev: pyproject.toml deploy/environment.sh $(STALE)
	@sh deploy/environment.sh $(VENV) '.[dev]'
	@$(identity) | tee $(VENV)/.device >$@
