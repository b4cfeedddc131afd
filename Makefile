# Everything a person or CI does here. Needs make, python3.11 (with venv and libpython3.11), Java 17 and Maven.

PYTHON ?= python3.11
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
RUN := $(BIN)/python
PYTEST := $(RUN) -m pytest --quiet
export PATH := $(BIN):$(PATH)
# A program compiles its modules once, not at each start, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=

PACKAGES := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml deploy/*/pyproject.toml)
REQUIREMENTS := requirements/dev.txt requirements/no-deps.txt
STUBS := $(CURDIR)/libs/contracts/src
MODELS := var/models/smollm2
INSTALLED := $(VENV)/installed
LOCK := uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version
DEBIAN := python3.11-venv libpython3.11

.DEFAULT_GOAL := help
.PHONY: help install lock proto manifests models up down status backup restore demo learn check check-proto properties test faults attack bench eval chart sbom audit

help: ## print this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environment -----------------------------------------------------------------------------------------------------

install: $(INSTALLED) ## make .venv with everything pinned and hashed (about two minutes, nothing when unchanged)

$(INSTALLED): $(REQUIREMENTS) $(PACKAGES) | $(BIN)/uv
	uv pip install --quiet --python $(RUN) --require-hashes -r requirements/dev.txt
	uv pip install --quiet --python $(RUN) --require-hashes --no-deps -r requirements/no-deps.txt
	uv pip install --quiet --python $(RUN) --no-build-isolation --no-deps $(addprefix -e ./,$(dir $(PACKAGES)))
	touch $@

lock: $(BIN)/uv ## resolve requirements/*.in into pinned, hashed *.txt
	$(LOCK) 3.11 requirements/runtime.in -o requirements/runtime.txt
	$(LOCK) 3.11 requirements/dev.in -c requirements/runtime.txt -o requirements/dev.txt
	$(LOCK) 3.11 requirements/no-deps.in --no-deps -o requirements/no-deps.txt
	$(LOCK) 3.12 requirements/vllm.in --python-platform x86_64-manylinux_2_39 --only-binary :all: \
	  --override requirements/vllm-overrides.in -o requirements/vllm.txt
	$(RUN) -m supply lock

$(BIN)/uv:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing; on Debian: apt-get install $(DEBIAN)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv

proto: $(INSTALLED) ## regenerate the committed protobuf stubs
	cd proto && $(RUN) -m grpc_tools.protoc -I. --python_out=$(STUBS) --grpc_python_out=$(STUBS) \
	  --mypy_out=quiet:$(STUBS) --mypy_grpc_out=quiet:$(STUBS) $$(find . -name '*.proto' | sort)

manifests: $(INSTALLED) ## write what follows from services/*/service.toml into compose, chart, topics, pyproject and pages
	$(RUN) -m manifests

models: $(MODELS) ## convert the reasoner's weights, once (about 20 seconds)

$(MODELS): | $(INSTALLED)
	$(RUN) -m engine.convert --out $(dir $@)

# --- the local stack -------------------------------------------------------------------------------------------------

up: install models ## start every server and service on loopback; endpoints in var/stack.env
	$(RUN) -m native_stack up

down: $(INSTALLED) ## stop them
	$(RUN) -m native_stack down

status: $(INSTALLED) ## say what runs, and why what died did
	$(RUN) -m native_stack status

backup: $(INSTALLED) ## back up the running stack into a new folder, TO=folder [LONGITUDE_BACKUP_PASSPHRASE_FILE=file]
	$(RUN) -m native_stack backup $(TO)

restore: $(INSTALLED) ## make a stopped stack what it was, FROM=folder [OPTIONS="--replace --after-loss"]
	$(RUN) -m native_stack restore $(OPTIONS) $(FROM)

demo: up ## one patient's two years, from messages to a checked assessment and a proof
	$(RUN) deploy/demo/demo.py

learn: up ## a training of minutes, from nothing to a decision about its version [STEPS=n]
	$(RUN) -m demo.learning $(STEPS)

# --- checks ----------------------------------------------------------------------------------------------------------

check: install models ## format, lint, types, import contracts, protobuf, unit tests
	ruff format --check --quiet .
	ruff check --quiet .
	mypy --strict --exclude '^deploy/triton/' libs services deploy tests
	for model in deploy/triton/models/*/1/model.py; do mypy --strict $$model || exit 1; done
	lint-imports
	$(MAKE) --no-print-directory check-proto
	$(PYTEST) --numprocesses 2 --dist worksteal $(wildcard libs/*/tests/unit services/*/tests/unit deploy/*/tests/unit) tests/architecture tests/meaning

check-proto: install
	rm -rf var/stubs && mkdir -p var/stubs
	$(MAKE) --no-print-directory proto STUBS=$(CURDIR)/var/stubs
	diff -r -x __pycache__ -x py.typed var/stubs/longitude $(STUBS)/longitude
	buf lint
	@! git rev-parse --quiet --verify main >/dev/null || buf breaking --against "$$(git rev-parse --git-common-dir)#branch=main"

properties: install ## search for counter-examples of the properties with new examples at each run
	$(PYTEST) --numprocesses 2 --dist worksteal --hypothesis-profile search $$(git grep -l '^from hypothesis' -- '*/tests/unit/*.py')

# In two runs: the servers of the first have ended, and their memory is free, before the second starts its own.
SERVERS := --durations=15 --numprocesses 2 --dist loadfile
test: install models check ## everything, on real servers
	$(PYTEST) $(SERVERS) $(wildcard libs/*/tests/integration services/*/tests/integration deploy/*/tests/integration)
	$(PYTEST) $(SERVERS) $(wildcard tests/evals tests/system tests/attack tests/faults tests/benchmarks tests/helm)

faults: install models ## kill and cut everything, the long form, with 500 kills under load
	$(PYTEST) tests/faults --faults=long

bench: install models ## measure beside peers [BENCH=name]
	$(RUN) -m tests.benchmarks $(BENCH)

eval: install models ## measure the answers [EVAL=name] [N=n] [SEED=s]
	$(RUN) -m tests.evals $(EVAL) $(if $(N),--n $(N)) $(if $(SEED),--seed $(SEED))

attack: install ## try what somebody inside the network would, against the running stack
	$(RUN) -m tests.attack

chart: install ## lint, render and validate the Helm chart, offline
	$(PYTEST) tests/helm

# --- supply chain ----------------------------------------------------------------------------------------------------

sbom: install ## write var/sbom/longitude.cdx.json (CycloneDX 1.6), refuse licences that are not allowed
	$(RUN) -m supply sbom

audit: install ## look for known weaknesses of what is pinned [ADVISORIES=folder of OSV records]
	$(RUN) -m supply audit $(if $(ADVISORIES),--advisories $(ADVISORIES))
