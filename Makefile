# Everything here makes what it needs; nothing has to be installed first but Python 3.10 or newer and make.
VENV := .venv
COLLECTION := .collections/ansible_collections/flexops/unified_profiles
BIN := $(VENV)/bin
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export PYTHONPATH := $(CURDIR)/.collections:$(CURDIR)/extensions

.PHONY: setup demo sandbox test lint build clean

setup: $(VENV)/ready $(COLLECTION)

$(COLLECTION):
	@mkdir -p $(dir $@) && ln -sfn ../../.. $@

# The newest ansible-core that the newest Python at hand can run.
$(VENV)/ready: requirements.txt requirements-dev.txt
	@echo "making $(VENV) (once)"
	@"$$(tools/find-python 3.13 3.12 3.11 3.10 3)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check ansible-core -r requirements-dev.txt 2>&1 | grep -v WARNING || true
	@$(BIN)/python -c 'import ansible, httpx, starlette, pytest' && touch $@

# The oldest ansible-core that is supported.
.venv-216/ready: requirements.txt requirements-dev.txt
	@echo "making .venv-216 (once)"
	@"$$(tools/find-python 3.12 3.11 3.10)" -m venv --clear .venv-216
	@.venv-216/bin/python -m pip install -q --disable-pip-version-check 'ansible-core==2.16.*' -r requirements-dev.txt 2>&1 | grep -v WARNING || true
	@.venv-216/bin/python -c 'import ansible, httpx, starlette, pytest' && touch $@

$(VENV)/lint-ready: $(VENV)/ready requirements-lint.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-lint.txt 2>&1 | grep -v WARNING || true
	@$(BIN)/ansible-lint --version >/dev/null && touch $@

demo: setup
	@$(BIN)/python tools/demo.py

sandbox: setup
	@$(BIN)/python -m sandbox

test: setup .venv-216/ready
	@$(BIN)/python -m pytest tests
	@echo "the same on ansible-core 2.16:"
	@.venv-216/bin/python -m pytest tests -m "not newest_only"

lint: $(VENV)/lint-ready $(COLLECTION)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint -s .
	$(BIN)/mypy
	$(BIN)/ansible-lint --offline --profile production
	tools/sanity $(BIN)/ansible-test

build: setup
	@$(BIN)/ansible-galaxy collection build --force --output-path build .

clean:
	rm -rf .venv .venv-216 .collections build .pytest_cache .mypy_cache .ruff_cache .hypothesis
