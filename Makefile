# DATA is the practice folder, AS_OF the day to work for (today if not given; on the
# sample its own day, so that the first try looks the same in any year).
DATA ?= sample_data
ifneq (,$(filter sample_data sample_data/with_mistakes,$(DATA:%/=%)))
AS_OF ?= 2026-03-31
endif
PYTHON ?= python3
ACCEPT ?=
FILES ?= 200000
YEARS ?= 1000
SEED ?= 1
MEMBERS ?= 100000
MONTHS ?= 36

BIN := .venv/bin
# Bytecode is made of what runs, which is little of what is installed (`--no-compile`
# below), and kept, which makes every later start shorter.
unexport PYTHONDONTWRITEBYTECODE
DAY := $(if $(AS_OF),--as-of $(AS_OF))

.DEFAULT_GOAL := help
.PHONY: help setup bill check preview test next-duckdb torture fuzz simulate mutants bench bench-check coverage lint golden sample clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12
	@echo
	@echo 'make bill DATA=/srv/clinic AS_OF=2026-11-30    a practice of your own'

setup: .venv/.ready ## build .venv with everything that is needed

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
	  -c constraints.txt -e '.[dev]'
	@touch $@

bill: .venv/.ready ## the night: bill DATA (ACCEPT='--accept date' lets a guard through)
	@$(BIN)/membill bill "$(DATA)" $(DAY) $(ACCEPT)

check: .venv/.ready ## read and validate DATA, write its issues workbook
	@$(BIN)/membill check "$(DATA)" $(DAY)

preview: .venv/.ready ## what bill would make, writing nothing
	@$(BIN)/membill preview "$(DATA)" $(DAY)

test: .venv/.ready ## run every test
	$(BIN)/python -m pytest

# Beside the DuckDB that is asked for, so that pip has something to say.
next-duckdb: .venv/.ready ## run every test on DuckDB 2 too, and both by turns on one ledger
	$(PYTHON) -m venv .venv/next-duckdb
	.venv/next-duckdb/bin/python -m pip install --quiet --disable-pip-version-check \
	  --no-compile -c constraints.txt -e '.[dev]'
	.venv/next-duckdb/bin/python -m pip install --quiet --disable-pip-version-check \
	  'duckdb>=2,<3'
	.venv/next-duckdb/bin/python -m pytest
	$(BIN)/python -m tests.by_turns .venv/next-duckdb/bin/python

torture: .venv/.ready ## kill at every step, twice, fail every write (about two hours)
	$(BIN)/python -m tests.torture
	$(BIN)/python -m tests.torture.syscalls

mutants: .venv/.ready ## change the rules in small ways: do the tests notice? (about two hours)
	$(BIN)/python -m tests.mutants

# Billing, numbering, money and recovery, of which the tests reach every branch.
REACHED := transform record transaction keys chain outbox publish bookkeeping/touched \
  bookkeeping/seals judging/credit_due office/desk office/credits office/closing \
  copies/restore copies/backups copies/adopt copies/left_already copies/lineage \
  copies/strangers proof/lost_numbers proof/verify published_files

coverage: .venv/.ready ## which branches the tests reach: all of REACHED
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered
	$(BIN)/python -m coverage report --fail-under=100 --show-missing \
	  --include="$$(printf 'pipeline/%s.py,' $(REACHED))"

fuzz: .venv/.ready ## read FILES changed workbooks and CSV files (200000, of seed SEED)
	$(BIN)/python -m tests.fuzz --files $(FILES) --seed $(SEED)

simulate: .venv/.ready ## let practices live for YEARS (1000), seeds from SEED (1) on
	$(BIN)/python -m tests.simulator --years $(YEARS) --seed $(SEED)

bench: .venv/.ready ## time a night of MEMBERS (100000) after MONTHS (36), stage by stage
	$(BIN)/python -m benchmarks.bench --members $(MEMBERS) --months $(MONTHS) --write

bench-check: .venv/.ready ## is any stage slower than committed? (two minutes)
	$(BIN)/python -m benchmarks.bench --check --runs 2

lint: .venv/.ready ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

golden: .venv/.ready ## write the sample night's listings again (read the diff)
	$(BIN)/python -m tests.golden
	$(BIN)/python -m tests.imports_golden

sample: .venv/.ready ## write the sample sheets again
	$(BIN)/python -m sample_data.make_sample

clean: ## remove what was built; never a ledger or an invoice
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find pipeline schemas tests sample_data benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
