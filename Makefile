# One line a task: `make run` and `make test` are all that a newcomer needs.
SHELL  := /bin/bash
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BENCH  := $(VENV)/bench
OUT    := out/xinwu
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2

.PHONY: run test lint docs bench clean
.DELETE_ON_ERROR:

run: $(VENV)/installed  ## plan the built-in region
	$(BIN)/xinji plan xinwu --out $(OUT)

test: $(VENV)/installed-lint  ## everything that can fail, walls and house rules with it; the longest first
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder tests

lint: $(VENV)/installed-lint  ## style, format, types, walls
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

docs: $(VENV)/installed-docs  ## docs/_build/html/index.html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

bench: $(BENCH)/installed  ## ratios to named peers, which have an environment of their own: they bring plugins of pytest
	for file in benchmarks/*.py; do [ ! -e "$$file" ] || $(BENCH)/bin/python "$$file" || exit; done

clean:  ## all that make has made
	rm -rf $(VENV) out build dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/created: ; @bash scripts/environment.sh $(PYTHON) $(VENV) && touch $@

$(VENV)/installed: $(VENV)/created pyproject.toml ; $(PIP) install --editable . && touch $@

$(VENV)/installed-%: $(VENV)/installed ; $(PIP) install --group $* && touch $@

$(BENCH)/created: | $(VENV)/created ; @bash scripts/environment.sh $(PYTHON) $(BENCH) && touch $@

$(BENCH)/installed: $(BENCH)/created pyproject.toml
	$(BENCH)/bin/python -m pip --disable-pip-version-check --quiet install --editable . --group bench && touch $@
