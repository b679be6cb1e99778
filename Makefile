# Everything here makes what it needs; nothing has to be installed first but Python 3.10 or newer and make.
VENV := .venv
COLLECTION := .collections/ansible_collections/flexops/unified_profiles
BIN := $(VENV)/bin
PROCESSORS := $(shell nproc 2>/dev/null || echo 2)
# More than there are processors: many tests wait, for servers that hang or for one another.
JOBS := $(shell expr $(PROCESSORS) \* 2)
PYTEST := -m pytest -n $(JOBS)
# Every version of ansible-core that `make test-all` tries: those that are supported and those that certifiers run, and what comes next.
CORES := 2.16 2.18 2.19 2.20 2.21 2.22
# What Ansible has a part in, and sanity, on one of them: `make test-2.18 sanity-2.18`.
ON_A_CORE := test-2.16 test-2.18 test-2.20 sanity-2.18 sanity-2.20
# Of module_utils, Ansible has a part in _module alone. The others are plain Python, and `make test-all` tries them on every core.
PLAIN := _base _checks _clients _handover _http _source
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export PYTHONPATH := $(CURDIR)/.collections:$(CURDIR)/extensions

# What `make lint` runs, each a target of its own. The slow ones come first.
CHECKERS := lint-sanity lint-sanity-2.16 lint-importer lint-ansible lint-examples lint-docs lint-changelog lint-types lint-python lint-yaml lint-workflows lint-licences

# The first target: plain `make` says what there is.
help:
	@sed -n 's/^| `\(make [a-z0-9.-]*\)` | \([^|]*\) |$$/\1: \2/p' CONTRIBUTING.md

.PHONY: help setup demo sandbox test $(ON_A_CORE) test-all test-eda test-plain test-smoke molecule bench bench-full lint $(CHECKERS) docs site build verify clean

setup: $(VENV)/ready $(COLLECTION)

$(COLLECTION):
	@mkdir -p $(dir $@) && ln -sfn ../../.. $@

# The newest ansible-core that the newest Python at hand can run.
$(VENV)/ready: requirements.txt requirements-dev.txt tools/make-venv
	@tools/make-venv $(VENV) newest -r requirements-dev.txt && touch $@

# Any other ansible-core, such as .venv-2.16, the oldest that is supported.
.venv-%/ready: requirements.txt requirements-dev.txt tools/make-venv
	@tools/make-venv .venv-$* $* -r requirements-dev.txt && touch $@

$(VENV)/lint-ready: $(VENV)/ready requirements-lint.txt requirements-docs.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-lint.txt && touch $@

demo: setup
	@$(BIN)/python tools/demo.py

sandbox: setup
	@$(BIN)/python -m sandbox $(OPTIONS)

# The rulebooks under ansible-rulebook, with what takes long: needs Java 17.
test-eda: setup .venv-eda/ready
	@$(BIN)/python $(PYTEST) tests/eda tests/unit/extensions/eda

test:
	@$(MAKE) --no-print-directory --silent -j $(PROCESSORS) setup .venv-2.16/ready $(if $(shell command -v java),.venv-eda/ready)
	@$(BIN)/python $(PYTEST) -m "not full"
	@$(MAKE) --no-print-directory test-2.16

$(filter test-%,$(ON_A_CORE)): test-%: .venv-%/ready $(COLLECTION)
	@echo "what Ansible has a part in, on ansible-core $*:"
	@.venv-$*/bin/python $(PYTEST) -m "not newest_only and not full" tests/unit tests/integration $(PLAIN:%=--ignore=tests/unit/plugins/module_utils/%)

$(filter sanity-%,$(ON_A_CORE)): sanity-%: .venv-%/ready
	tools/ansible-test .venv-$* sanity

# Also the tests that take long, on every version of ansible-core that can be had here; says which cannot.
test-all: setup $(if $(shell command -v java),.venv-eda/ready)
	@tools/test-all "$(PYTEST)" $(CORES)

# pytest-ansible puts the collection on the import path, and PYTHONPATH above does as well.
.venv-plain/ready: requirements.txt requirements-dev.txt tools/make-venv
	@tools/make-venv .venv-plain newest -r requirements-dev.txt
	@.venv-plain/bin/python -m pip uninstall -q -y pytest-ansible && touch $@

test-plain: .venv-plain/ready $(COLLECTION)
	@.venv-plain/bin/python $(PYTEST) -m "not full"

.venv-molecule/ready: requirements.txt requirements-molecule.txt tools/make-venv
	@tools/make-venv .venv-molecule newest -r requirements-molecule.txt && touch $@

# With a configuration of Molecule's own.
molecule: .venv-molecule/ready $(COLLECTION)
	@cd extensions && unset ANSIBLE_CONFIG && PATH="$(CURDIR)/.venv-molecule/bin:$$PATH" molecule test

# Installs from a package index what the collection needs, in an environment of ansible-test's own.
test-smoke: setup
	@tools/ansible-test $(VENV) integration smoke

# Event-Driven Ansible, whose rules engine needs Java; without one, the tests of the rulebooks are reported as skipped.
.venv-eda/ready: requirements.txt requirements-eda.txt tools/make-venv
	@tools/make-venv .venv-eda newest -r requirements-eda.txt && touch $@

.venv-bench/ready: requirements.txt requirements-bench.txt tools/make-venv
	@tools/make-venv .venv-bench newest -r requirements-bench.txt && touch $@

.venv-bench-2.16/ready: requirements.txt requirements-bench.txt tools/make-venv
	@tools/make-venv .venv-bench-2.16 2.16 -r requirements-bench.txt && touch $@

# A few minutes; results in build/bench. The full form takes longer and writes docs/performance.
bench: .venv-bench/ready .venv-bench-2.16/ready $(COLLECTION)
	@.venv-bench/bin/python tests/benchmarks/bench.py

bench-full: .venv-bench/ready .venv-bench-2.16/ready $(COLLECTION)
	@.venv-bench/bin/python tests/benchmarks/bench.py --full
	@.venv-bench/bin/python tests/benchmarks/bench.py --limits

# Side by side, and all of them, whatever the first one says. An old make prints their lines as they come.
lint: $(VENV)/lint-ready .venv-2.16/ready $(COLLECTION)
	@$(MAKE) --no-print-directory --keep-going -j $(PROCESSORS) $(if $(filter output-sync,$(.FEATURES)),--output-sync) $(CHECKERS)

$(CHECKERS): $(VENV)/lint-ready $(COLLECTION)
lint-sanity-2.16: .venv-2.16/ready

lint-sanity:
	tools/ansible-test $(VENV) sanity

# What pylint of an older core says, and the newest's does not, waits for `make test-all`.
lint-sanity-2.16:
	tools/ansible-test .venv-2.16 sanity --skip-test pylint

lint-importer:
	tools/import-check $(VENV)

# Playbooks for a group that no inventory has are an error (ansible.cfg).
lint-ansible lint-examples: export ANSIBLE_INVENTORY := $(CURDIR)/inventories/example

lint-ansible:
	$(BIN)/ansible-lint --offline --profile production

lint-examples:
	$(BIN)/python tools/lint_examples.py

lint-docs:
	$(BIN)/python tools/prose.py
	PATH="$(CURDIR)/$(BIN):$$PATH" antsibull-docs lint-collection-docs --plugin-docs $(COLLECTION)
	tools/docs $(VENV)

lint-changelog:
	tools/changelog-check $(VENV)

lint-types:
	$(BIN)/mypy

lint-python:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-yaml:
	$(BIN)/yamllint -s .

lint-workflows:
	$(BIN)/zizmor --offline --no-progress .github

lint-licences:
	$(BIN)/reuse lint --lines

docs: $(VENV)/lint-ready $(COLLECTION)
	@tools/docs $(VENV)

# The pages of this checkout and of each release, as they are published.
site: $(VENV)/lint-ready $(COLLECTION)
	@tools/site $(VENV)

build: setup
	@$(BIN)/python tools/build.py $(BIN) build

# `make verify ARCHIVE=...` builds a release again from this checkout and compares.
verify: setup
	@$(BIN)/python tools/build.py $(BIN) --verify $(ARCHIVE)

clean:
	rm -rf .venv .venv-* .collections build .pytest_cache .mypy_cache .ruff_cache .hypothesis
