# Everything goes into .venv and artifacts/; outside the checkout there is only a cache of compiled wheels.

PYTHON ?= python3.11
HTTP_PORT ?= 8080
GRPC_PORT ?= 8081
HOST ?= 127.0.0.1
# llama-cpp-python is compiled on this machine, unless this names a package index with a wheel, such as the one in
# llama-cpp-python's README: make serve LLAMA_INDEX=https://…
LLAMA_INDEX ?=
# Images: where they go, and their tag.
REGISTRY ?= docker.io/kserve-predictors
TAG ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGES ?= iris intent summarizer all sklearn rollout-controller
# What the summarizer computes on: cpu, or cuda for NVIDIA's GPUs too (TAG=…-cuda keeps both).
LLAMA_BACKEND ?= cpu
# The base image, if not the Dockerfile's; scripts/image_digest.py prints that with its digest.
PYTHON_IMAGE ?=
# docker or buildah; whichever is there if none is named. And flags for its `build`.
BUILDER ?=
BUILD_FLAGS ?=
# A folder with a wheel of llama-cpp-python that runs on Debian 12 (glibc 2.36), for the images, instead of compiling.
WHEELS ?=

BIN := .venv/bin
# Stamp files: each is touched once its step has succeeded, so that an interrupted step runs again.
VENV := .venv/.made
# "Core" is everything but llama-cpp-python: iris, intent, and their training.
INSTALLED_CORE := .venv/.installed-core
INSTALLED := .venv/.installed
INSTALLED_TOOLS := .venv/.installed-dev
INSTALLED_DEV := $(INSTALLED) $(INSTALLED_TOOLS)
ARTIFACTS_CORE := artifacts/iris/manifest.json artifacts/intent/manifest.json
ARTIFACTS := $(ARTIFACTS_CORE) artifacts/summarizer/manifest.json

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
# pip, printing one line per package.
PIP := $(BIN)/python -m pip install --constraint constraints.txt
SHOW := | awk '/^Collecting/ {print "  " $$2; fflush()}'

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

.PHONY: serve
serve: $(INSTALLED) $(ARTIFACTS) ## Install, train and download what is missing, then serve all three models (HTTP_PORT=, GRPC_PORT=, HOST=)
	@exec $(BIN)/predictors serve --host $(HOST) --http_port $(HTTP_PORT) --grpc_port $(GRPC_PORT) --log_format text

.PHONY: test
test: $(INSTALLED_DEV) $(ARTIFACTS) ## Run all tests, two files at a time (ARGS= is passed to pytest)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

.PHONY: test-core
test-core: $(INSTALLED_TOOLS) $(ARTIFACTS_CORE) ## Run the tests that do not need llama-cpp-python, without installing it (ARGS= is passed to pytest)
	$(BIN)/python -m pytest -m 'not llama' $(ARGS)

.PHONY: lint
lint: $(INSTALLED_TOOLS) ## Check style, types and imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint --config .hadolint.yaml Dockerfile
	$(BIN)/zizmor --offline --quiet .github/workflows

.PHONY: lint-workflows
lint-workflows: ## Check the workflows with actionlint; needs Go
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

.PHONY: pin-actions
pin-actions: ## Look up the commits of the actions' versions in the workflows; needs git and GitHub
	@$(PYTHON) scripts/pin_actions.py .github/workflows/*.yaml

.PHONY: version
version: ## Print the version
	@echo $(TAG)

.PHONY: format
format: $(INSTALLED_TOOLS) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: images
images: ## Build the images with docker or buildah (IMAGES=, REGISTRY=, TAG=, BUILDER=, BUILD_FLAGS=, LLAMA_BACKEND=, LLAMA_INDEX=, WHEELS=, PYTHON_IMAGE=)
	@BUILDER='$(BUILDER)' PYTHON_IMAGE='$(PYTHON_IMAGE)' WHEELS='$(WHEELS)' LLAMA_BACKEND='$(LLAMA_BACKEND)' LLAMA_INDEX='$(LLAMA_INDEX)' BUILD_FLAGS='$(BUILD_FLAGS)' scripts/images.sh $(REGISTRY) $(TAG) $(IMAGES)

.PHONY: image-sizes
image-sizes: ## Say what the images weigh, and what weighs most in them; needs buildah
	@$(PYTHON) scripts/image_sizes.py $(addprefix $(REGISTRY)/,$(addsuffix :$(TAG),$(IMAGES)))

.PHONY: sbom
sbom: ## Write what is in the images to build/sbom, as CycloneDX; needs syft, and docker or buildah (IMAGES=, REGISTRY=, TAG=, BUILDER=)
	@BUILDER='$(BUILDER)' $(PYTHON) scripts/sbom.py build/sbom $(addprefix $(REGISTRY)/,$(addsuffix :$(TAG),$(IMAGES)))

.PHONY: charts
charts: ## Package the charts into build/charts; needs helm
	helm package charts/predictors charts/rollout-controller --destination build/charts

.PHONY: chart-docs
chart-docs: $(INSTALLED_TOOLS) ## Make the charts' schemas and the values in their READMEs from their values.yaml
	$(BIN)/python -m scripts.chart_docs

.PHONY: crd
crd: $(INSTALLED_TOOLS) ## Make the CustomResourceDefinition of InferenceRollouts from predictors/rollout/spec.py
	$(BIN)/python -m scripts.crd

.PHONY: dashboards
dashboards: $(INSTALLED_TOOLS) ## Make Grafana's dashboards from scripts/dashboards/
	$(BIN)/python -m scripts.dashboards

.PHONY: manifests
manifests: $(INSTALLED_TOOLS) ## Render the charts into manifests/; needs helm
	$(BIN)/python -m scripts.manifests

.PHONY: test-chart
test-chart: $(INSTALLED_TOOLS) $(ARTIFACTS_CORE) ## Run the chart's tests alone; needs helm and kubectl, but no cluster (ARGS= is passed to pytest)
	$(BIN)/python -m pytest tests/chart -m 'not llama' $(ARGS)

.PHONY: test-cluster
test-cluster: $(INSTALLED_DEV) $(ARTIFACTS_CORE) ## Run the tests that need Kubernetes, on the cluster of KUBECONFIG (TESTS=, ARGS= are passed to pytest)
	PREDICTORS_CLUSTER=1 PREDICTORS_REGISTRY=$(REGISTRY) PREDICTORS_TAG=$(TAG) $(BIN)/python -m pytest $(or $(TESTS),tests/cluster) $(ARGS)

.PHONY: train
train: $(INSTALLED_CORE) ## Retrain iris and intent
	$(BIN)/predictors train iris
	$(BIN)/predictors train intent

.PHONY: artifacts
artifacts: $(ARTIFACTS) ## Train or download the models that are missing

.PHONY: import-time
import-time: $(INSTALLED_CORE) ## Show the imports that delay a server's start the most, microseconds
	@$(BIN)/python -X importtime -c 'import predictors.cli.startup, predictors.iris.model, predictors.intent.model' 2>&1 \
	  | sort -t '|' -k 2 -n | tail -n 15

.PHONY: bench
bench: $(INSTALLED_DEV) $(ARTIFACTS) ## Compare iris and intent with other servers; needs wrk, oha and ghz (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.bench $(ARGS)

.PHONY: bench-startup
bench-startup: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure cold starts and memory (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.startup $(ARGS)

.PHONY: bench-rows
bench-rows: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure predictions in process, without a server (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.rows $(ARGS)

.PHONY: bench-client
bench-client: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure what the client for backends costs its process (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.backend_client $(ARGS)

.PHONY: bench-backends
bench-backends: $(INSTALLED_DEV) $(ARTIFACTS) ## Compare inference backends for iris and intent (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.backends $(ARGS)

.PHONY: bench-batching
bench-batching: $(INSTALLED_DEV) $(ARTIFACTS) ## Measure the gain from batching concurrent requests (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.batching $(ARGS)

.PHONY: bench-features
bench-features: $(INSTALLED_TOOLS) artifacts/iris/manifest.json ## Measure what tokens, limits, a model store, traces and logs cost a request; needs redis-server (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.features $(ARGS)

.PHONY: bench-sklearn
bench-sklearn: $(INSTALLED_TOOLS) ## Compare the sklearn predictor with other servers; needs wrk (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.estimators $(ARGS)

.PHONY: bench-flame
bench-flame: $(INSTALLED_DEV) $(ARTIFACTS) ## Draw a flame graph of the server under load (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.flame $(ARGS)

.PHONY: bench-judge
bench-judge: $(INSTALLED_DEV) ## Simulate rollouts to see how fast and how sure their judge is (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.rollout_judge $(ARGS)

.PHONY: bench-summarizer
bench-summarizer: $(INSTALLED_DEV) $(ARTIFACTS) ## Compare the summarizer's engine with other servers (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.summarizer $(ARGS)

.PHONY: eval
eval: $(INSTALLED_DEV) $(ARTIFACTS) ## Evaluate summaries: facts covered, missed and made up (ARGS= is passed to the evaluation)
	$(BIN)/python -m tests.eval.run $(ARGS)

.PHONY: eval-intent
eval-intent: $(INSTALLED_DEV) artifacts/intent/manifest.json ## Measure intent on utterances that training never saw
	$(BIN)/python -m tests.unit.intent.unseen

.PHONY: function
function: $(INSTALLED_TOOLS) artifacts/iris/manifest.json ## Fill build/function, the folder that `gcloud functions deploy --source` takes
	@scripts/function.sh $(BIN)/python artifacts/iris build/function

.PHONY: bench-elsewhere
bench-elsewhere: $(INSTALLED_TOOLS) artifacts/iris/manifest.json ## Measure starts, latency and memory as Cloud Run and Cloud Functions run iris; needs docker (ARGS= is passed to the benchmark)
	$(BIN)/python -m tests.benchmarks.elsewhere $(ARGS)

.PHONY: costs
costs: $(INSTALLED_TOOLS) ## Say what a million requests cost, from `make bench`'s figures and your prices (ARGS= is passed to the command)
	@$(BIN)/python -m tests.benchmarks.costs $(ARGS)

.PHONY: clean
clean: ## Remove .venv, artifacts and tool caches
	rm -rf .venv artifacts build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find predictors tests -name __pycache__ -type d -prune -exec rm -rf {} +

# These steps are slow, so each prints what it is doing.
$(VENV):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; name another Python 3.11: make PYTHON=…"; exit 1; }
	@echo "creating .venv"
	@$(PYTHON) -m venv --clear .venv
	@touch $@

$(INSTALLED_CORE): pyproject.toml constraints.txt $(VENV)
	@echo "installing kserve-predictors into .venv"
	@$(PIP) --editable '.[train,sklearn,onnx]' $(SHOW)
	@touch $@

$(INSTALLED): scripts/llama_wheel.sh $(INSTALLED_CORE)
	@echo "installing llama-cpp-python into .venv"
ifeq ($(LLAMA_INDEX),)
	@wheel=$$(scripts/llama_wheel.sh $(BIN)/python) && $(PIP) "$$wheel" --editable '.[summarizer]' $(SHOW)
else
	@$(PIP) --extra-index-url '$(LLAMA_INDEX)' --only-binary llama-cpp-python --editable '.[summarizer]' $(SHOW)
endif
	@touch $@

$(INSTALLED_TOOLS): $(INSTALLED_CORE)
	@echo "installing test and lint tools into .venv"
	@$(PIP) --editable '.[train,sklearn,onnx,documents,dev]' $(SHOW)
	@touch $@

# What each artifact is made from; it is made again when one of these files changes.
ARTIFACT_CODE := predictors/serving/artifacts/artifact.py predictors/serving/artifacts/files.py predictors/serving/artifacts/manifest.py predictors/serving/artifacts/writing.py predictors/serving/model/training.py
artifacts/iris/manifest.json: predictors/iris/train.py predictors/iris/pack.py predictors/iris/conversion.py predictors/iris/forest.py $(ARTIFACT_CODE) | $(INSTALLED_CORE)
artifacts/intent/manifest.json: $(filter-out predictors/intent/model.py predictors/intent/settings.py,$(wildcard predictors/intent/*.py)) predictors/intent/utterances.csv $(ARTIFACT_CODE) | $(INSTALLED_CORE)
$(ARTIFACTS_CORE): artifacts/%/manifest.json:
	@echo "training $*"
	@$(BIN)/predictors train $*

artifacts/summarizer/manifest.json: predictors/summarizer/fetch.py predictors/summarizer/pack.py predictors/summarizer/model.py $(ARTIFACT_CODE) | $(INSTALLED)
	@echo "downloading the summarizer's model"
	@$(BIN)/predictors fetch
