# make demo    anonymize a real four-camera recording, from nothing
# make test    set up and pass the tests; those of extras that are not installed are skipped and counted
# make test-all    install all extras and pass the tests of these, too
# make test-slow   the tests that take longer
# make setup   only the environment, in .venv
# make setup-all     the environment plus all extras for CPUs
# make setup-sim     the environment plus the simulated operating room (torch, anny, moderngl)
# make setup-adapt   the environment plus what adaptation to a site needs (torch, mmdet, mmpose)

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
TEST_PROCESSES ?= 2

define ONE_OPENCV
$(BIN)/python -m pip uninstall --yes opencv-python
$(BIN)/python -m pip install --force-reinstall --no-deps "opencv-python-headless>=4.10,<5"
endef

.PHONY: demo test test-all test-slow setup setup-all setup-sim setup-adapt lint clean

demo: setup
	$(BIN)/or-mv-anon sample demo/recording
	$(BIN)/python tools/anonymize_multiview.py --videos demo/recording --out demo/anonymous

# Training has a process of its own: its packages, where they are installed, set up much that is global.
TRAINING = $(if $(wildcard $(VENV)/lib/python3*/site-packages/mmdet),tests/adaptation tests/openmmlab)
# A file's tests stay in one process and share its fixtures; the order of the files puts the short ones last.
AT_ONCE = -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

test: setup
	$(BIN)/or-mv-anon weights fetch
	$(BIN)/python -m pytest $(AT_ONCE) $(TRAINING:%=--ignore=%)
	$(if $(TRAINING),$(BIN)/python -m pytest $(TRAINING))

test-all: setup-all
	$(MAKE) test

# Some of these run in real time and fail when the machine stalls for seconds: those get a second chance.
test-slow: setup
	$(BIN)/or-mv-anon weights fetch
	$(BIN)/python -m pytest -m slow || $(BIN)/python -m pytest -m slow --last-failed

setup: $(VENV)/.ready

setup-sim: setup
	$(BIN)/python -m pip install -e ".[sim]"

# mmpose asks for chumpy, which it never imports and which no longer builds; its other needs are in the extra. mmengine
# asks for opencv-python, which puts its files over those of opencv-python-headless: of the two only that one stays.
setup-adapt: setup
	$(BIN)/python -m pip install -e ".[adapt,quantize]"
	$(BIN)/python -m pip install --no-deps mmpose==1.3.2
	$(ONE_OPENCV)

setup-all: setup-adapt
	$(BIN)/python -m pip install -e ".[adapt,attack,cluster,quantize,sim,train]"
	$(ONE_OPENCV)

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
