# egate: `make demo` shows a gate at work, `make test` proves it; both install what they need into .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo test proof long test-gates test-parts test-pictures independent hil lint bench fuzz clean

install: $(STAMP)

$(STAMP): constraints.txt setup.cfg pyproject.toml Makefile models/build.py models/manifest.toml hw_sim/gate-sim
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "egate needs Python 3.11; found: $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --config-settings editable_mode=compat --editable .
	@# On a bare machine the system's libGL is absent; the same OpenCV without windows does not need it.
	@$(BIN)/python -c 'import cv2' 2>/dev/null || { \
	  echo "libGL.so.1 is not on this machine: using opencv-python-headless (the gate opens no window)."; \
	  $(BIN)/pip install --quiet --no-deps --force-reinstall opencv-python-headless==4.11.0.86 && \
	  $(BIN)/python -c 'import cv2'; }
	$(BIN)/python -m models.build
	@{ echo '#!$(abspath $(BIN))/python'; tail -n +2 hw_sim/gate-sim; } > $(BIN)/gate-sim && chmod +x $(BIN)/gate-sim
	@touch $@

demo: install
	$(BIN)/gate-sim run --demo --report build/demo/report.html

# Three parts at once: whole gates, which mostly wait for doors and people, and two that give way to them.
test: install
	@$(MAKE) --no-print-directory --output-sync=target -j3 test-gates test-parts test-pictures

# Every reachable state of every kind of lane, and long random histories.
proof: install
	$(BIN)/pytest -m long tests/core

# Whole gates of other kinds, faults and their way back, two hundred passages of the soak.
long: install
	$(BIN)/pytest -m long tests/system tests/soak

PICTURES := tests/models tests/seeing tests/hw_sim tests/document
PYTEST := $(BIN)/pytest --durations=10

test-gates:
	$(PYTEST) tests/system

test-parts:
	nice -n 10 $(PYTEST) --ignore=tests/system $(PICTURES:%=--ignore=%)

test-pictures:
	nice -n 10 $(PYTEST) $(PICTURES)

# Chip and reader against the programs of others, which Debian has; says what cannot be installed here.
independent: install
	tests/system/independent/install $(BIN)/python
	$(BIN)/pytest -m independent tests/system

# The drivers and the units against real kernel interfaces, in a virtual machine without KVM; says what is missing.
hil: install
	tests/hil/install $(BIN)/python
	$(BIN)/pytest -m hil -p no:randomly tests/hil

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/python -m tests.bench

# Guided by coverage where atheris is installed beside the project; else random changes of good samples.
fuzz: install
	$(BIN)/python -m tests.fuzz --seconds 60

clean:
	rm -rf build $(VENV) models/built .pytest_cache .mypy_cache .ruff_cache .hypothesis
