# Needs Python 3.11 or newer and make, nothing else. Everything that is fetched or written stays in build/ and .venv/.
PYTHON ?= python3
UV_VERSION := 0.13.9
BOOT := build/boot
UV := $(BOOT)/bin/uv
READY := build/ready
SAMORDNA := .venv/bin/samordna
RUNS ?= 25

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv

.DEFAULT_GOAL := help
.PHONY: help demo test up down bench faults check

help: ## Show what can be made
	@echo "samordna: sjukfall som samordnas / sick leave, coordinated"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Play the story of two employers on the real stack, time moved
	@$(SAMORDNA) demo

test: check ## Format, lint, types, import rules, and all tests on real servers
	.venv/bin/pytest -n 2 --dist loadfile

check: $(READY)
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/pyright
	.venv/bin/lint-imports

up: $(READY) ## Start the local stack and stay (Ctrl-C stops it)
	@$(SAMORDNA) up

down: $(READY) ## Stop the local stack
	@$(SAMORDNA) down

bench: $(READY) ## Measure against the rivals; figures in build/bench.json
	.venv/bin/python -m tests.bench.run

faults: $(READY) ## Kill everything at random, RUNS=25 times; counts in build/faults.json
	.venv/bin/python -m tests.faults.run --runs $(RUNS)

# Made anew when the lock or a member's declaration changes; a newcomer's first call makes all of it.
$(READY): uv.lock pyproject.toml $(wildcard services/*/pyproject.toml shared/*/pyproject.toml deploy/*/pyproject.toml) $(UV)
	$(UV) sync --all-packages --frozen --python $(BOOT)/bin/python
	@touch $@

$(UV): deploy/bootstrap.sh
	@sh deploy/bootstrap.sh "$(PYTHON)" "$(BOOT)" "$(UV_VERSION)"
	@touch $@
