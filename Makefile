# make demo    anonymize a real four-camera recording, from nothing
# make test    set up and pass the tests
# make test-slow   the tests that take longer
# make setup   only the environment, in .venv
# make setup-sim     the environment plus the simulated operating room (torch, anny, moderngl)
# make setup-adapt   the environment plus what adaptation to a site needs (torch, mmdet, mmpose)

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test test-slow setup setup-sim setup-adapt lint clean

demo: setup
	$(BIN)/or-mv-anon sample demo/recording
	$(BIN)/python tools/anonymize_multiview.py --videos demo/recording --out demo/anonymous

# Training has a process of its own: its packages set up much that is global.
TRAINING = tests/adaptation tests/openmmlab

test: setup
	$(BIN)/or-mv-anon weights fetch
	$(BIN)/python -m pytest $(TRAINING:%=--ignore=%)
	$(BIN)/python -m pytest $(TRAINING)

# Some of these run in real time and fail when the machine stalls for seconds: those get a second chance.
test-slow: setup
	$(BIN)/or-mv-anon weights fetch
	$(BIN)/python -m pytest -m slow || $(BIN)/python -m pytest -m slow --last-failed

setup: $(VENV)/.ready

setup-sim: setup
	$(BIN)/python -m pip install -e ".[sim]"

# mmpose asks for chumpy, which it never imports and which no longer builds; its other needs are in the extra.
setup-adapt: setup
	$(BIN)/python -m pip install -e ".[adapt]"
	$(BIN)/python -m pip install --no-deps mmpose==1.3.2

# TrackEval's metrics, which a test compares with, need nothing of what the package asks for, a second OpenCV among it.
$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -e ".[dev]"
	$(BIN)/python -m pip install --no-deps trackeval==1.3.0
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache
