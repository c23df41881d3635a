# Everything a newcomer types. Each target works on a fresh machine with Python 3.11-3.13.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types bench bench-crash docs clean

help:
	@echo "make demo    build a real model, sell it through a real server, print the invoice"
	@echo "make test    run every test, in two processes"
	@echo "make lint    ruff and the import contracts      make types   mypy --strict"
	@echo "make docs    the documentation, strict links     make bench   the figures, on this machine"

# What decides whether the installation is still the right one.
$(STAMP): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "needs $(PYTHON) (3.11 to 3.13); or: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Modelmint needs Python 3.11 to 3.13, found $$($(PYTHON) --version); or: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@date +%s > $(VENV)/.started
	@echo "Installing into $(VENV) (PyTorch is the large part) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[workshop,openvino,postgres,pdf,parquet,stripe,test,dev]'
	@echo "Installed in $$(( $$(date +%s) - $$(cat $(VENV)/.started) )) s."
	@touch $@

setup: $(STAMP)

demo: $(STAMP)
	@$(BIN)/modelmint demo

test: $(STAMP)
	@$(BIN)/python tests/halves.py

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache

types: $(STAMP)
	@$(BIN)/mypy

docs: $(STAMP)
	@$(BIN)/sphinx-build -W --keep-going -n -q -b html docs site

bench: $(STAMP)
	@$(BIN)/python -m bench

# Processes of callers and servers killed 200 times on each database, and power cut, with every check of the tests.
bench-crash: $(STAMP)
	@MODELMINT_CRASH_ROUNDS=200 $(BIN)/python -m pytest -q --timeout 7200 tests/contracts/test_books_processes.py \
	  tests/contracts/test_server_crashes.py tests/journeys/test_durability_unsynced.py

clean:
	rm -rf $(VENV) site dist build .pytest_cache .mypy_cache .ruff_cache
