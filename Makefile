# The two commands of the README: make run, make test. Everything they need goes into .venv.
.DEFAULT_GOAL := help
.PHONY: help setup run test faults lint types check bench messages lock clean

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --no-compile --require-hashes

help: ## This list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: .venv/.ready ## Build .venv with everything that ptdash needs to run

run: .venv/.ready ## Start everything with demo data
	@$(BIN)/ptdash up --demo

test: .venv/.ready-dev ## All tests, on real servers
	@$(BIN)/pytest -n auto

faults: .venv/.ready-dev ## Kill everything at every statement of a close; a table at the end (about 35 minutes)
	@$(BIN)/pytest tests/faults --all-faults -n 2 --dist worksteal

lint: .venv/.ready-dev ## Style, imports, templates, security
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/lint-imports
	@$(BIN)/djlint --quiet --lint ptdash/templates
	@$(BIN)/bandit --quiet --recursive ptdash --configfile pyproject.toml

types: .venv/.ready-dev ## mypy
	@$(BIN)/mypy

check: lint types test ## What CI runs

bench: .venv/.ready-dev ## Benchmarks, each as a ratio to a floor measured in the same run
	@$(BIN)/python -m bench

messages: .venv/.ready-dev ## Collect the texts on screen into the catalogs
	@$(BIN)/pybabel --quiet extract --no-location --sort-output -F babel.cfg -o ptdash/translations/messages.pot .
	@for l in de en; do $(BIN)/pybabel --quiet update --no-fuzzy-matching --no-wrap -i ptdash/translations/messages.pot \
		-d ptdash/translations -l $$l; done; rm ptdash/translations/messages.pot

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet \
		--python-version 3.11 --group build pyproject.toml --output-file requirements.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet \
		--python-version 3.11 --group build --group dev pyproject.toml --constraint requirements.lock \
		--output-file requirements-dev.lock

clean: ## Remove .venv and what the tools left behind; demo data in var/ stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/.ready: requirements.lock pyproject.toml $(wildcard ptdash/translations/*/LC_MESSAGES/messages.po)
	@test -n "$(PYTHON)" || { echo "ptdash needs Python 3.11 or newer; none was found." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python has no venv module. On Debian and Ubuntu \
	it is a package of its own: apt install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Building .venv …"; $(PYTHON) -m venv .venv; }
	@echo "Installing packages …"
	@$(PIP) -r requirements.lock
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/pybabel --quiet compile --directory ptdash/translations
	@touch $@

.venv/.ready-dev: .venv/.ready requirements-dev.lock
	@echo "Installing what the tests need …"
	@$(PIP) -r requirements-dev.lock
	@touch $@
