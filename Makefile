# The two commands of a new user: `make demo` runs the main job, `make test` runs all checks.

PYTHON ?= python3
# The requirement that brings PyTorch. On Linux the default index serves a CUDA build; a CPU build
# comes from PyTorch's own index: make demo TORCH="torch==2.13.0 --index-url <PyTorch's CPU index>"
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
ORACLE := .venv-oracle

.PHONY: setup data demo test check oracle generate clean

setup: $(VENV)/ready

$(VENV)/ready: pyproject.toml Makefile
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

# The SageMaker SDK, which the tests compare with: in an environment of its own.
oracle: $(ORACLE)/ready

$(ORACLE)/ready: pyproject.toml
	$(PYTHON) -m venv $(ORACLE)
	$(ORACLE)/bin/python -m pip install --quiet --disable-pip-version-check '.[oracle]'
	touch $@

data: setup
	$(BIN)/python tools/flights.py data/

demo: data
	$(BIN)/python -m pipelines validate
	$(BIN)/python -m pipelines compile -o build/
	$(BIN)/python -m pipelines run
	$(BIN)/python -m pipelines models --local
	$(BIN)/python -m pipelines approve --local flight-delays/latest
	$(BIN)/python -m pipelines invoke --local flight-delays --file serving/sample_request.json

check: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check data oracle
	$(BIN)/python -m pytest -n 2 --dist loadgroup -rs --cov --cov-report=term:skip-covered

generate: setup oracle
	$(ORACLE)/bin/python tools/generate_images.py
	$(BIN)/python tools/generate_shapes.py
	$(BIN)/python tools/generate_docs.py

clean:
	rm -rf $(VENV) $(ORACLE) .venv-serving build data .pipelines
