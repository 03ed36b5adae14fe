# Everything runs inside .venv, made from the pins of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Hundreds of processes import the same modules.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test check benchmarks faults clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("dicecurve needs Python 3.11 or newer, got %d.%d; set PYTHON=python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev]' --constraint constraints.txt
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true # on all cores; a few files of packages are no Python
	@touch $@

install: $(STAMP) ## make the virtual environment

demo: $(STAMP) ## a whole study on drawn images, in demo/
	@mkdir -p demo
	cd demo && ../$(BIN)/dicecurve run phantom

test: $(STAMP) ## all tests, three files at a time, those of whole clusters among the first
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 25

check: $(STAMP) ## style, types and the rules of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmarks: $(STAMP) ## measured comparisons with rivals, minutes each
	$(BIN)/python -m tests.benchmarks.training.training_speed
	$(BIN)/python -m tests.benchmarks.training.patch_speed
	$(BIN)/python -m tests.benchmarks.training.trial_start
	$(BIN)/python -m tests.benchmarks.forecast.forecast
	$(BIN)/python -m tests.benchmarks.training.trial_memory
	$(BIN)/python -m tests.benchmarks.training.gpu_sharing
	$(BIN)/python -m tests.benchmarks.ledger.decision_speed
	$(BIN)/python -m tests.benchmarks.stops.plateau_stops
	$(BIN)/python -m tests.benchmarks.savings.savings
	$(BIN)/python -m tests.benchmarks.coverage --quick
	$(BIN)/python -m tests.benchmarks.cluster.trial_overhead
	$(BIN)/python -m tests.benchmarks.cluster.cluster_scale --ray-trials 1000
	$(BIN)/python -m tests.benchmarks.ledger.ledger_speed

faults: $(STAMP) ## 200 disturbed studies on SQLite, 200 on PostgreSQL, and what they lost
	PYTHONPATH=. $(BIN)/python -m tests.faults.fault_table

clean: ## remove what the targets made
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
