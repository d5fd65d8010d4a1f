# memosite: `make run` starts the product, `make test` runs every test. `make help` lists the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# PyTorch is a step of its own: the right build (CPU, CUDA) depends on the machine and its package index.
TORCH  := torch==2.13.0

.DEFAULT_GOAL := help
.PHONY: help install run demo test lint types check format lock bench bench-tools clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.run-installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "memosite needs Python 3.11 or newer; set PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing requirements into $(VENV) (once, about two minutes) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(VENV)/.dev-installed: $(VENV)/.run-installed requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

install: $(VENV)/.run-installed  ## make the virtual environment

$(VENV)/.bench-installed: $(VENV)/.dev-installed benchmarks/requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt
	@touch $@

bench-tools: $(VENV)/.bench-installed  ## install what the benchmarks compare with

run: install  ## start web and worker, with the demo on the first start (PORT=8000)
	@$(BIN)/python manage.py serve $(if $(PORT),--port $(PORT))

test: $(VENV)/.dev-installed  ## run the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist worksteal --ignore tests/browser $(if $(ONLY),-m "$(ONLY)")
	@$(BIN)/python -m pytest -n 2 --dist worksteal tests/browser

lint: $(VENV)/.dev-installed  ## style and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(VENV)/.dev-installed  ## static types
	@$(BIN)/mypy

check: lint types test  ## everything that must be green

format: $(VENV)/.dev-installed  ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock:  ## compile requirements*.in into locked files (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-package torch requirements.in -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements-dev.in -o requirements-dev.txt

bench: install  ## measure the outside benchmark: make bench DATA=path/to/phantomwiki
	@$(BIN)/python benchmarks/phantomwiki.py $(DATA)

clean:  ## remove the environment and all state (asks first)
	@printf 'This deletes %s and var/ (database, models). Continue? [y/N] ' $(VENV); read answer; test "$$answer" = y && rm -rf $(VENV) var
