# Two commands: `make demo` and `make test`. Both build the environment first and can be repeated.
PYTHONS := python3.11 python3.12 python3.13
# The first of them that runs (a pyenv shim may exist and not run); `make PYTHON=/path/to/python3.12` names another.
PYTHON ?= $(firstword $(foreach name,$(PYTHONS),$(shell $(name) -c '' 2> /dev/null && echo $(name))))
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --no-deps --no-build-isolation
VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])'
COMPILE := uv pip compile --quiet --generate-hashes --no-annotate --no-header
DEMO_DATA := data/behave_synthetic
DEMO_RUN := runs/demo

.PHONY: demo long test gpu-check docs lint format lock clean interpreter

demo: $(VENV)/installed
	$(RUN) -m rhobin synth --out $(DEMO_DATA) --size demo
	$(RUN) train.py experiment=khor/synthetic run_dir=$(DEMO_RUN) resume=auto
	$(RUN) eval.py run=$(DEMO_RUN)

long: $(VENV)/installed
	$(RUN) -m rhobin synth --out data/behave_synthetic_long --size long
	$(RUN) train.py experiment=khor/synthetic_long run_dir=runs/long resume=auto
	$(RUN) eval.py run=runs/long

test: $(VENV)/installed
	$(RUN) -m pytest -n 2 --dist worksteal

gpu-check: $(VENV)/installed
	$(RUN) benchmarks/gpu_check.py

docs: $(VENV)/installed
	$(RUN) -m rhobin synth --out data/behave_tiny --size tiny
	$(RUN) -m sphinx -W --keep-going docs docs/_build/html

lint: $(VENV)/installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/installed
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# One lock for three Pythons: uv keeps the versions that requirements.lock has, and the three answers must be equal.
# `rm requirements.lock build.lock` first takes the newest versions.
lock: EXTRAS := $(addprefix --extra ,p3d log sweep slurm docs dev)
lock:
	$(COMPILE) pyproject.toml $(EXTRAS) --python-version 3.11 -o requirements.lock
	for version in 3.12 3.13; do \
		cp requirements.lock .other.lock && \
		$(COMPILE) pyproject.toml $(EXTRAS) --python-version $$version -o .other.lock && \
		diff requirements.lock .other.lock || exit 1; \
	done
	$(COMPILE) --group build --constraint requirements.lock --python-version 3.11 -o build.lock
	rm .other.lock

# The locks are installed as they are, without looking for versions; `pip check` then finds what they lack.
$(VENV)/installed: build.lock requirements.lock pyproject.toml | interpreter
	test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes -r build.lock
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) -e .
	$(PIP) check
	@touch $@

interpreter:
	@if test "$(origin PYTHON)" = file && test -x $(VENV)/bin/pip; then exit 0; fi; \
	found=$$($(or $(PYTHON),false) $(VERSION) 2> /dev/null); \
	have=$$($(RUN) $(VERSION) 2> /dev/null || echo $$found); \
	case "$(PYTHON),$$found" in \
	*,3.11 | *,3.12 | *,3.13) ;; \
	,*) echo "rhobin needs Python 3.11, 3.12 or 3.13, and none of $(PYTHONS) on the PATH runs." \
		"Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1 ;; \
	*,) echo "PYTHON=$(PYTHON) does not run. Name a Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.12"; exit 1 ;; \
	*) echo "rhobin needs Python 3.11, 3.12 or 3.13; PYTHON=$(PYTHON) is $$found." \
		"Name another, or none to have it looked for: make PYTHON=/path/to/python3.12"; exit 1 ;; \
	esac; \
	test "$$have" = "$$found" || { echo "$(VENV) has Python $$have, and PYTHON=$(PYTHON) is $$found." \
		"Remove it (rm -r $(VENV)), or build another beside it: make VENV=.venv-$$found PYTHON=$(PYTHON)"; exit 1; }

clean:
	rm -rf runs $(DEMO_DATA) data/behave_synthetic_long
