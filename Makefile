# zonesim's developer interface: everything runs in .venv, which is built from requirements.lock.
#
#  make run          compare the typical zone and a real one with and without the measures (or SCENARIO=FILE)
#  make test         run the fast tests (PYTEST_ARGS="-k gate" to choose)
#  make test-slow    run the slow tests
#  make wasm         build the kernel for browsers (zonesim whatif): two minutes, once after each change of it
#  make wheel        build the wheel, with that
#  make lint         check style and format (ruff)
#  make types        check types (mypy, strict)
#  make contracts    check which folder imports which (import-linter)
#  make check        lint, types, contracts, test
#  make docs         build the site of the documents: build/site/index.html (links between pages are checked)
#  make docs-links   ask the network about the links that lead outside
#  make format       let ruff rewrite
#  make setup        build .venv and nothing else (PYTHON=python3.12 to choose)
#  make lock         resolve requirements.lock again (LOCK_ARGS=--upgrade for newer versions)
#  make clean        remove .venv, build products and caches

PYTHON ?= python3
SCENARIO ?= scenarios/typical_zone.yaml scenarios/suzhou_industrial_park.yaml
PYTEST_ARGS ?=
TEST_JOBS ?= auto
LOCK_ARGS ?=

UV := $(shell command -v uv 2>/dev/null)
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := $(VENV)/.packages
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-slow wasm wheel docs docs-links lint types contracts check format lock clean

help:
	@sed -n 's/^#  //p' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP)

run: $(STAMP)
	@for each in $(SCENARIO); do $(BIN)/zonesim compare "$$each" || exit $$?; done

test: $(STAMP)
	$(BIN)/python -m pytest -n $(TEST_JOBS) --dist worksteal $(PYTEST_ARGS)

test-slow: $(STAMP)
	$(BIN)/python -m pytest -n $(TEST_JOBS) --dist worksteal -m slow $(PYTEST_ARGS)

wasm: $(STAMP)
	$(BIN)/python tools/wasm.py

wheel: wasm
	$(BIN)/python -m hatchling build --target wheel

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

check: lint types contracts test

docs: $(STAMP)
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d build/doctrees -c tools/site . build/site
	@echo "open build/site/index.html"

docs-links: $(STAMP)
	$(BIN)/python -m sphinx --keep-going -q -b linkcheck -d build/doctrees -c tools/site . build/links

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Every package by its hash, then the project itself with the build backend that the lock names:
# nothing is installed that was not resolved. A changed pyproject.toml installs only the project.
ifdef UV
CREATE := rm -rf $(VENV) && $(UV) venv --quiet --python "$(PYTHON)" $(VENV)
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
INSPECT := $(UV) pip check --quiet --python $(BIN)/python
else
CREATE := $(PYTHON) -m venv --clear $(VENV)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Modules are compiled when they are first imported: few of all are, and it is half of the work of the set-up.
LATER := --no-compile
INSPECT := $(BIN)/python -m pip check --quiet --disable-pip-version-check
endif
OLD := zonesim needs Python 3.11 or later; choose one with: make setup PYTHON=python3.12

$(PACKAGES): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("$(OLD)" if sys.version_info < (3, 11) else 0)'
	@echo "Building $(VENV) from requirements.lock: once, a minute or two"
	@$(CREATE)
	@$(INSTALL) $(LATER) --require-hashes --requirement requirements.lock
	@touch $@

$(STAMP): $(PACKAGES) pyproject.toml
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(INSPECT) || { echo "requirements.lock is behind pyproject.toml: make lock" >&2; exit 1; }
	@touch $@

# One resolution for every Python from 3.11 and every platform. Only this target needs uv.
ifdef UV
LOCKER := $(UV)
lock:
else
LOCKER := build/uv/bin/uv
$(LOCKER):
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
lock: $(LOCKER)
endif
	$(LOCKER) pip compile --quiet $(LOCK_ARGS) --universal --python-version 3.11 \
		--fork-strategy fewest --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links \
		--extra dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
