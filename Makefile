# A new user needs two commands: `make demo` runs the main job, `make test` runs all checks.
# `make help` lists the rest.

PYTHON ?= python3
# The requirement that brings PyTorch. On Linux the default index serves a CUDA build; a CPU build
# comes from PyTorch's own index: make demo TORCH="torch==2.13.0 --index-url <PyTorch's CPU index>"
TORCH ?= torch==2.13.0
# Whether set-up installs the tested versions. `make setup CONSTRAINED=` takes the newest instead.
CONSTRAINED ?= yes
# How many cases of each `make fuzz` tries; `make test` tries a few.
CASES ?= 100000
# How many processes run the tests of `make test`: one more than two cores, since tests of processes
# and servers wait for a good part of their time.
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
ORACLE := .venv-oracle
CHECKOV := .venv-checkov
SDK_V3 := .venv-sdk-v3
SDK_V2 := .venv-sdk-v2
INSTALL := -m pip install --quiet --disable-pip-version-check
BESIDE_CHECKS = $(BIN)/python -m tools.beside $(MAKE) --no-print-directory check -- \
	$(BIN)/python -m pytest --dist loadgroup
CONSTRAINTS := $(if $(CONSTRAINED),--constraint constraints.txt)
CHECKOV_CONSTRAINTS := $(if $(CONSTRAINED),--constraint constraints-checkov.txt)
SDK_V3_CONSTRAINTS := $(if $(CONSTRAINED),--constraint constraints-sdk-v3.txt)
SDK_V2_CONSTRAINTS := $(if $(CONSTRAINED),--constraint constraints-sdk-v2.txt)
ORACLE_CONSTRAINTS := $(if $(CONSTRAINED),--constraint constraints-oracle.txt)

.PHONY: help setup oracle checkov clients constraints data demo format check quick test fuzz acceptance acceptance-clean everything generate clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 18

setup: $(VENV)/ready ## make the environment in .venv

# PyTorch comes first and alone, since it may come from an index that has little else. Its own
# dependencies are brought to the tested versions by the second command.
$(VENV)/ready: pyproject.toml Makefile constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(INSTALL) $(TORCH)
	$(BIN)/python $(INSTALL) $(CONSTRAINTS) torch --editable '.[dev]'
	touch $@

# The SageMaker SDK, which the tests compare with: in an environment of its own.
oracle: $(ORACLE)/ready ## make the environment of the SageMaker SDK in .venv-oracle

$(ORACLE)/ready: pyproject.toml constraints-oracle.txt
	$(PYTHON) -m venv $(ORACLE)
	$(ORACLE)/bin/python $(INSTALL) $(ORACLE_CONSTRAINTS) '.[oracle]'
	touch $@

# checkov, which reads the templates of `ci init`: alone, since it pins an old boto3.
checkov: $(CHECKOV)/ready ## make the environment of checkov in .venv-checkov

$(CHECKOV)/ready: constraints-checkov.txt
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/python $(INSTALL) $(CHECKOV_CONSTRAINTS) checkov
	touch $@

# Both SageMaker SDKs and the AWS CLI, which the tests run as clients of `serve`. SDK v2 imports
# pytz and does not ask for it.
clients: $(SDK_V3)/ready $(SDK_V2)/ready ## make the environments of both SageMaker SDKs

$(SDK_V3)/ready: constraints-sdk-v3.txt
	$(PYTHON) -m venv $(SDK_V3)
	$(SDK_V3)/bin/python $(INSTALL) $(SDK_V3_CONSTRAINTS) 'sagemaker>=3'
	touch $@

$(SDK_V2)/ready: constraints-sdk-v2.txt
	$(PYTHON) -m venv $(SDK_V2)
	$(SDK_V2)/bin/python $(INSTALL) $(SDK_V2_CONSTRAINTS) 'sagemaker<3' pytz awscli
	touch $@

constraints: ## make the environments anew from the newest releases; write the constraints files
	rm -rf $(VENV) $(ORACLE) $(CHECKOV) $(SDK_V3) $(SDK_V2)
	$(MAKE) setup oracle checkov clients CONSTRAINED=
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+.*//' > constraints.txt
	$(ORACLE)/bin/python -m pip freeze --exclude sagemaker-pipelines-as-code > constraints-oracle.txt
	$(CHECKOV)/bin/python -m pip freeze > constraints-checkov.txt
	$(SDK_V3)/bin/python -m pip freeze > constraints-sdk-v3.txt
	$(SDK_V2)/bin/python -m pip freeze > constraints-sdk-v2.txt
	touch $(VENV)/ready $(ORACLE)/ready $(CHECKOV)/ready $(SDK_V3)/ready $(SDK_V2)/ready

data: setup ## write the example's data to data/
	$(BIN)/python tools/flights.py data/

demo: data ## validate, compile, run, approve and invoke the example
	$(BIN)/python -m pipelines validate
	$(BIN)/python -m pipelines compile -o build/
	$(BIN)/python -m pipelines run
	$(BIN)/python -m pipelines models --local
	$(BIN)/python -m pipelines approve --local flight-delays/latest
	$(BIN)/python -m pipelines invoke --local flight-delays --file serving/sample_request.json

format: setup ## format the code and fix what ruff can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

check: setup ## formatting, lint, types, import contracts, generated documents
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/generate_docs.py --check
	$(BIN)/python tools/check_floors.py

quick: setup ## the checks, and the unit and golden tests that are not slow: under 90 seconds
	$(BESIDE_CHECKS) -n 2 -q -m "not slow" --durations=10 --durations-min=1 tests/unit tests/golden

test: setup data oracle ## all checks and all tests: what the build server runs
	$(BESIDE_CHECKS) -n $(WORKERS) -rs --cov --cov-report=term:skip-covered --durations=10

fuzz: setup ## damaged specs, definitions, command lines and HTTP requests, for about an hour
	PIPELINES_FUZZ_CASES=$(CASES) $(BIN)/python -m pytest -n 2 -q --timeout=0 tests/fuzz

# The contract tests in an account, as docs/guides/acceptance.md says.
acceptance: setup ## ask an account what the tests say of SageMaker: PROFILE= REGION= ROLE= BUDGET=
	$(BIN)/python -m tests.acceptance.account run --profile "$(PROFILE)" --region "$(REGION)" \
		--role "$(ROLE)" --budget "$(or $(BUDGET),0)" $(if $(PRICES),--prices "$(PRICES)") \
		$(if $(IMAGE),--image "$(IMAGE)")

acceptance-clean: setup ## delete what runs of `make acceptance` have left: PROFILE= REGION=
	$(BIN)/python -m tests.acceptance.account clean --profile "$(PROFILE)" --region "$(REGION)"

everything: data oracle checkov clients ## `make test` and what is too long for every push; it needs a package index; RECORD=1 writes docs/everything.md
	$(BIN)/python -m tools.everything $(if $(RECORD),--record)

generate: setup oracle ## rewrite the image tables, the shapes and the generated documents
	$(ORACLE)/bin/python tools/generate_images.py
	$(BIN)/python tools/generate_shapes.py
	$(BIN)/python tools/generate_expectations.py
	$(BIN)/python tools/generate_docs.py

clean: ## remove the environments, the data and everything that was built
	rm -rf $(VENV) $(ORACLE) $(CHECKOV) $(SDK_V3) $(SDK_V2) .venv-serving .venv-bench-* .venv-example-* build data .pipelines
