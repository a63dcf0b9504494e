# `make` prints this list.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/runtime ## set up what is missing, then serve http://127.0.0.1:3141
	@exec $(BIN)/python manage.py serve

setup: .venv/development ## environment with everything for development

test: .venv/development ## the whole suite, browser included
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: .venv/development ## ruff, mypy --strict, migrations, deployment check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --deploy --fail-level WARNING

test-clients: .venv/development ## the real CLIs, those on PATH or installed below CLIENTS=DIR
	$(BIN)/python -m tests.clients.live $(CLIENTS)

bench: .venv/development ## ratios against a floor measured in the same run
	$(BIN)/python -m tests.bench

lock: ## resolve the dependencies again (needs uv)
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
	  --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
	  --custom-compile-command "make lock" pyproject.toml --group dev -o requirements-dev.txt

# The stamp files make a second start cost nothing: they are younger than what they were made from.
.venv/runtime: requirements.txt | .venv/bin/python
	@echo "Installing the locked dependencies …"
	@$(call install,requirements.txt)
	@touch $@

.venv/development: requirements-dev.txt | .venv/bin/python
	@echo "Installing the locked development dependencies …"
	@$(call install,requirements-dev.txt)
	@touch .venv/runtime $@

.venv/bin/python:
	@$(if $(UV),uv venv -q --allow-existing --python $(PYTHON) .venv,$(PYTHON) -m venv .venv)

install = $(if $(UV),VIRTUAL_ENV=.venv uv pip install -q --require-hashes -r $(1),$(BIN)/python -m pip install -q --require-hashes -r $(1))

.PHONY: help run setup test test-clients lint bench lock
