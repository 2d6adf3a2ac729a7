# Needs Python 3.10 or newer, make and git. Everything else goes into .venv and .cache.
#
# make itself exits 2 on every failure. For the suite's own exit codes, run it without make:
# .venv/bin/python -m benchmarks run

.DEFAULT_GOAL := help
# One at a time: targets share .venv, and nothing may run beside a measurement.
.NOTPARALLEL:

# Knobs. A list takes blanks or commas between its items; what is empty is left to the suite.
PYTHON ?= python3 ## the Python (3.10 or newer) that .venv is made from
PYTHONS ?=        ## bench, witness: Pythons to measure (list); selftest, instructions: one
LOOPS ?=          ## bench: event loops (list)
TASK_FACTORIES ?= ## bench: task factories (list)
STRATEGIES ?=     ## bench: strategies, also your own, such as mine.py:launch (list)
LIMITS ?=         ## bench: how many may be active at a time, such as none,50 (list)
COLLECTORS ?=     ## bench: states of the garbage collector (list)
WORKLOADS ?=      ## bench: workloads, also your own, such as mine.py:fetch (list)
TASKS ?=          ## bench: task counts (list)
PROBES ?=         ## bench: probes (list)
PAUSES ?=         ## bench: pauses between creating and joining (list)
PRESET ?=         ## bench: smoke, default, versions, question, bounded or full
BUDGET ?=         ## bench: time to spend, such as 4m
PRECISION ?=      ## bench: interval half-width to stop at, such as 1%
WAIT ?=           ## bench: how long to wait until nothing else uses the machine, such as 5m
SEED ?=           ## bench: what random orders start from
OUT ?=            ## bench, export: folder to write, never an existing one; selftest: its folder
CAMPAIGN ?=       ## report, export, claims: results folder to read (default: the newest; claims: the references)
BASELINE_PYTHON ?= ## bench, report: the Python that the others are compared with
BASE ?=           ## compare: results folder to compare with
HEAD ?=           ## compare: results folder that is compared with BASE
ARGS ?=           ## more arguments for the command, as they are, such as ARGS='-n 1' for test

knobs := PYTHON PYTHONS LOOPS TASK_FACTORIES STRATEGIES LIMITS COLLECTORS WORKLOADS TASKS PROBES \
         PAUSES PRESET BUDGET PRECISION WAIT SEED OUT CAMPAIGN BASELINE_PYTHON BASE HEAD ARGS

# A misspelled knob would otherwise be ignored, and minutes spent on measuring something else.
unknown := $(filter-out $(knobs) SHELL MAKEFLAGS,$(foreach name,$(.VARIABLES),$(if \
             $(filter command,$(origin $(name))),$(name))))
$(if $(strip $(unknown)),$(error unknown variable $(strip $(unknown)); choose from $(knobs)))

comma := ,
one  = $(if $(strip $2),--$1='$(strip $2)')
each = $(foreach item,$(subst $(comma), ,$2),--$1='$(item)')

options = $(call each,python,$(PYTHONS)) $(call each,loop,$(LOOPS)) \
          $(call each,task-factory,$(TASK_FACTORIES)) $(call each,strategy,$(STRATEGIES)) \
          $(call each,limit,$(LIMITS)) \
          $(call each,collector,$(COLLECTORS)) $(call each,workload,$(WORKLOADS)) \
          $(call each,tasks,$(TASKS)) $(call each,probe,$(PROBES)) $(call each,pause,$(PAUSES)) \
          $(call one,preset,$(PRESET)) $(call one,budget,$(BUDGET)) \
          $(call one,precision,$(PRECISION)) $(call one,wait,$(WAIT)) $(call one,seed,$(SEED)) \
          $(call one,out,$(OUT)) \
          $(baseline) $(ARGS)
baseline = $(call one,baseline-python,$(BASELINE_PYTHON))
campaign = $(if $(strip $(CAMPAIGN)),'$(strip $(CAMPAIGN))')

# uv from PATH or, without one there, from PyPI into an environment of its own.
private_uv := $(if $(shell uv --version 2>/dev/null),,.cache/uv/bin/uv)
uv         := $(or $(private_uv),uv)

ifneq ($(filter compare,$(MAKECMDGOALS)),)
$(if $(and $(strip $(BASE)),$(strip $(HEAD))),,$(error name two results folders: make compare BASE=... HEAD=...))
endif

.PHONY: help bench test lint format harness selftest instructions witness report export claims compare lock clean FORCE

help: ## list targets and knobs
	@echo 'make TARGET [KNOB=value ...]'
	@awk -F ' *## ' '/^[a-z]+:.*## /{sub(/:.*/, "", $$1); printf "  %-15s %s\n", $$1, $$2}' Makefile
	@echo 'Knobs:'
	@awk -F ' *## ' '/^[A-Z_]+ \?=.*## /{sub(/ .*/, "", $$1); printf "  %-15s %s\n", $$1, $$2}' Makefile

bench: .venv/.driver ## measure: run a campaign and show the answer
	@.venv/bin/python -m benchmarks run $(options)

# The tests of a file stay in one process: they share campaigns.
test: .venv/.dev ## run the test suite on all cores
	@.venv/bin/python -m pytest -n auto --dist loadfile $(ARGS)

lint: .venv/.dev ## check style, format and types
	@.venv/bin/ruff check --quiet
	@.venv/bin/ruff format --check --quiet
	@.venv/bin/mypy --no-error-summary

format: .venv/.dev ## put the code in form
	@.venv/bin/ruff check --quiet --fix-only
	@.venv/bin/ruff format --quiet

harness: .venv/.driver ## measure the suite itself
	@.venv/bin/python -m harness $(ARGS)

selftest: .venv/.dev ## show what the method finds, misses and makes up, beside other tools
	@.venv/bin/python -m harness.selftest --out '$(or $(strip $(OUT)),results/reference/selftest)' \
	  $(call one,python,$(PYTHONS)) $(ARGS)

instructions: .venv/.driver ## count instructions per task, beside their time
	@.venv/bin/python -m harness.instructions $(call one,python,$(PYTHONS)) $(ARGS)

witness: .venv/.driver ## show, by small programs, how tasks behave
	@.venv/bin/python -m benchmarks witness $(call each,python,$(PYTHONS)) $(ARGS)

report: .venv/.driver ## make a campaign's report again from its raw files
	@.venv/bin/python -m analysis report $(campaign) $(baseline) $(ARGS)

export: .venv/.driver ## write a campaign's values for other tools
	@.venv/bin/python -m analysis export $(campaign) $(call one,out,$(OUT)) $(ARGS)

claims: .venv/.driver ## compare published claims with campaigns
	@.venv/bin/python -m analysis claims $(or $(campaign),$(patsubst %/campaign.json,%,$(wildcard results/reference/*/campaign.json))) $(ARGS)

compare: .venv/.driver ## compare HEAD with BASE, two results folders
	@.venv/bin/python -m analysis compare '$(strip $(BASE))' '$(strip $(HEAD))' $(ARGS)

# The largest group is resolved first; the others only choose from its versions.
lock: $(private_uv) ## resolve the dependencies of pyproject.toml anew into requirements/
	@$(compile) --upgrade --group dev --output-file requirements/dev.txt
	@$(compile) --constraints requirements/dev.txt --group driver --output-file requirements/driver.txt
	@$(compile) --constraints requirements/dev.txt --group measured --group optional --output-file requirements/measured.txt
	@$(compile) --constraints requirements/dev.txt --group uv --output-file requirements/uv.txt

compile = $(uv) pip compile --quiet --universal --python-version 3.10 --no-python-downloads \
          --generate-hashes --custom-compile-command 'make lock'

clean: ## remove environments and caches, never results
	@rm -rf .venv .cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +


# The environment. bench needs requirements/driver.txt; test and lint add requirements/dev.txt, which
# contains all of it, so that going from one to the other installs nothing. A stamp in .venv stands
# for each, older than its lock file only when that has changed.

.venv/.driver: requirements/driver.txt .venv/pyvenv.cfg
	@echo 'Installing $< into .venv'
	@$(sync) $<
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.driver
	@echo 'Installing $< into .venv'
	@$(sync) $<
	@touch $@

sync = $(uv) pip sync --quiet --require-hashes --python .venv/bin/python

# Kept as it is unless it does not run any more, or another Python is asked for by name.
.venv/pyvenv.cfg: FORCE $(private_uv)
	$(if $(kept),,$(check_python)@echo 'Making .venv with $(strip $(PYTHON))' && rm -rf .venv && \
	  $(uv) venv --quiet --no-python-downloads --python '$(executable)' .venv)

kept     = $(and $(wildcard .venv/pyvenv.cfg),$(present),$(if $(given),$(findstring [$(wanted)],[$(present)]),yes))
given    = $(filter-out file,$(origin PYTHON))
wanted   = $(call facts,$(PYTHON))
present  = $(call facts,.venv/bin/python)
facts    = $(shell $1 -c 'import sys; print(sys.version_info >= (3, 10), sys.version, sys.base_prefix)' 2>/dev/null)
executable = $(shell $(PYTHON) -c 'import sys; print(sys.executable)')

check_python = $(if $(filter True,$(firstword $(wanted))),,$(error \
  '$(strip $(PYTHON))' is not a Python 3.10 or newer that runs; name one: make $(MAKECMDGOALS) PYTHON=python3.13))

.cache/uv/bin/uv: requirements/uv.txt
	$(check_python)$(check_ensurepip)@echo 'Installing uv into .cache/uv'
	@$(PYTHON) -m venv --clear .cache/uv
	@.cache/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

check_ensurepip = $(if $(shell $(PYTHON) -c 'import ensurepip, venv; print(1)' 2>/dev/null),,$(error \
  no uv on PATH, and '$(strip $(PYTHON))' lacks venv to install it: install uv, or the package python3-venv))
