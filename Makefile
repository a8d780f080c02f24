# Everything is installed into .venv and trained into artifacts/; nothing outside the checkout but a cache of wheels.

PYTHON ?= python3.11
HTTP_PORT ?= 8080
GRPC_PORT ?= 8081
HOST ?= 127.0.0.1
# Where llama-cpp-python comes from: compiled here (the default), or from a wheel index of your choice, such as the one
# that llama-cpp-python's README names: make serve LLAMA_INDEX=https://…
LLAMA_INDEX ?=

BIN := .venv/bin
# Stamps: each is touched when its step has ended, so that an interrupted one is done again.
VENV := .venv/.made
INSTALLED := .venv/.installed
INSTALLED_DEV := .venv/.installed-dev
ARTIFACTS := artifacts/iris/manifest.json artifacts/intent/manifest.json artifacts/summarizer/manifest.json

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
# pip, with a line a package instead of silence or a flood.
PIP := $(BIN)/python -m pip install --constraint constraints.txt
SHOW := | awk '/^Collecting/ {print "  " $$2; fflush()}'

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

.PHONY: serve
serve: $(INSTALLED) $(ARTIFACTS) ## Install, train and fetch what is missing, then serve all three models (HTTP_PORT=, GRPC_PORT=, HOST=)
	@exec $(BIN)/predictors serve --host $(HOST) --http_port $(HTTP_PORT) --grpc_port $(GRPC_PORT) --log_format text

.PHONY: test
test: $(INSTALLED_DEV) $(ARTIFACTS) ## Run all tests (ARGS= goes to pytest)
	$(BIN)/python -m pytest $(ARGS)

.PHONY: lint
lint: $(INSTALLED_DEV) ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(INSTALLED_DEV) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: train
train: $(INSTALLED) ## Train iris and intent again
	$(BIN)/predictors train iris
	$(BIN)/predictors train intent

.PHONY: artifacts
artifacts: $(ARTIFACTS) ## Train or fetch the models that are missing

.PHONY: import-time
import-time: $(INSTALLED) ## Show which imports cost a server the most at start, microseconds
	@$(BIN)/python -X importtime -c 'import predictors.serving.server, predictors.iris.model, predictors.intent.model' 2>&1 \
	  | sort -t '|' -k 2 -n | tail -n 15

.PHONY: bench
bench: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure iris and intent beside other servers; needs wrk, oha and ghz (ARGS= goes to the benchmark)
	$(BIN)/python -m tests.benchmarks.bench $(ARGS)

.PHONY: bench-startup
bench-startup: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure cold starts and memory (ARGS= goes to the benchmark)
	$(BIN)/python -m tests.benchmarks.startup $(ARGS)

.PHONY: bench-rows
bench-rows: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure what a prediction costs in process (ARGS= goes to the benchmark)
	$(BIN)/python -m tests.benchmarks.rows $(ARGS)

.PHONY: bench-backends
bench-backends: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure other ways to score iris and intent (ARGS= goes to the benchmark)
	$(BIN)/python -m tests.benchmarks.backends $(ARGS)

.PHONY: bench-batching
bench-batching: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure what computing waiting requests together is worth (ARGS= goes to the benchmark)
	$(BIN)/python -m tests.benchmarks.batching $(ARGS)

.PHONY: bench-flame
bench-flame: $(INSTALLED_DEV) $(ARTIFACTS) ## Draw where the time of a request goes, as a flame graph (ARGS= goes to the benchmark)
	$(BIN)/python -m tests.benchmarks.flame $(ARGS)

.PHONY: bench-summarizer
bench-summarizer: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure the summarizer's engine beside other servers (ARGS= goes to the benchmark)
	$(BIN)/python -m tests.benchmarks.summarizer $(ARGS)

.PHONY: eval
eval: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure what summaries say, miss and make up (ARGS= goes to the evaluation)
	$(BIN)/python -m tests.eval.run $(ARGS)

.PHONY: clean
clean: ## Remove .venv, artifacts and caches of tools
	rm -rf .venv artifacts build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find predictors tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Each recipe line says what it does, for these are the slow ones.
$(VENV):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not here; name another interpreter of version 3.11: make PYTHON=…"; exit 1; }
	@echo "making .venv"
	@$(PYTHON) -m venv --clear .venv
	@touch $@

$(INSTALLED): pyproject.toml constraints.txt scripts/llama_wheel.sh $(VENV)
	@echo "installing kserve-predictors into .venv"
	@$(PIP) --editable '.[train]' $(SHOW)
	@echo "installing llama-cpp-python into .venv"
ifeq ($(LLAMA_INDEX),)
	@wheel=$$(scripts/llama_wheel.sh $(BIN)/python) && $(PIP) "$$wheel" $(SHOW)
else
	@$(PIP) --extra-index-url '$(LLAMA_INDEX)' --only-binary llama-cpp-python --editable '.[summarizer]' $(SHOW)
endif
	@touch $@

$(INSTALLED_DEV): $(INSTALLED)
	@echo "installing the tools for tests and checks into .venv"
	@$(PIP) --editable '.[train,dev]' $(SHOW)
	@touch $@

artifacts/summarizer/manifest.json: | $(INSTALLED)
	@echo "fetching the summarizer's model"
	@$(BIN)/predictors fetch

# What an artifact is made of: it is made again when one of these has changed.
ARTIFACT_CODE := predictors/serving/artifacts/artifact.py predictors/serving/model/training.py
artifacts/iris/manifest.json: predictors/iris/train.py predictors/iris/forest.py $(ARTIFACT_CODE)
artifacts/intent/manifest.json: predictors/intent/train.py predictors/intent/tfidf.py predictors/intent/utterances.csv $(ARTIFACT_CODE)
artifacts/summarizer/manifest.json: predictors/summarizer/fetch.py predictors/summarizer/model.py $(ARTIFACT_CODE)

artifacts/%/manifest.json: | $(INSTALLED)
	@echo "training $*"
	@$(BIN)/predictors train $*
