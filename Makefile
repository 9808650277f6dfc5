# Two commands: `make demo` and `make test`. Both build the environment first and can be repeated.
PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin/python
DEMO_DATA := data/behave_synthetic
DEMO_RUN := runs/demo

.PHONY: demo long test lint format lock clean

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

lint: $(VENV)/installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/installed
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

lock:
	uv pip compile pyproject.toml --extra p3d --extra log --extra dev --python-version 3.11 \
		--generate-hashes --no-annotate --no-header -o requirements.lock

$(VENV)/installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) > /dev/null || { echo "rhobin needs Python 3.11: install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	$(VENV)/bin/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf runs $(DEMO_DATA) data/behave_synthetic_long
