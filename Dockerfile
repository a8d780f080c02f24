# Images of the predictors: one target each, `iris`, `intent` and `summarizer`, and `all` three in one; `sklearn`, for models
# of your own; and of the `rollout-controller`.
#
#   docker build --target iris -t kserve-predictors/iris .
#   docker run -p 8080:8080 kserve-predictors/iris
#
# Each serves the default model that it carries, at /opt/models. KServe mounts another one and passes
# --model_dir=/mnt/models; `sklearn` carries none, and waits for it there. `make images` builds the six, with docker or
# buildah.

# To pin the base by its digest: make images PYTHON_IMAGE=$(python3 scripts/image_digest.py)
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm
# cuda: the summarizer computes on an NVIDIA GPU, where its node has one and --gpu_layers says so. No other image changes.
ARG LLAMA_BACKEND=cpu

# ---- What builds: none of it is in an image --------------------------------------------------------------------------

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_CACHE=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_HTTP_TIMEOUT=180
RUN pip install --quiet "uv>=0.13,<0.14"
WORKDIR /build

# llama-cpp-python, compiled for every generation of processors (10 to 20 minutes), and for GPUs if that is asked for (hours,
# unless CUDA_ARCHITECTURES names one kind, such as 90-real). It depends on these files only, so a
# change of the code does not compile it again (one of any pin does). Instead of compiling:
#   - a wheel of that version in the folder wheels/ is taken as it is;
#   - --build-arg LLAMA_INDEX=https://… names a package index that has one, as llama-cpp-python's README does.
FROM build AS llama
ARG LLAMA_INDEX=
ARG LLAMA_BACKEND
ARG CUDA_ARCHITECTURES=
COPY wheels wheels
COPY constraints.txt ./
COPY scripts/llama_wheel.sh scripts/slim_wheel.py scripts/cuda_toolkit.sh scripts/
RUN set -e; version=$(sed -n 's/^llama_cpp_python==//p' constraints.txt); \
    if ls "wheels/llama_cpp_python-$version-"*.whl >/dev/null 2>&1; then exit 0; fi; \
    if [ -n "$LLAMA_INDEX" ]; then \
      pip download --no-deps --only-binary :all: --extra-index-url "$LLAMA_INDEX" --dest wheels "llama-cpp-python==$version"; \
      python scripts/slim_wheel.py wheels/*.whl; exit 0; \
    fi; \
    apt-get update -qq; apt-get install -y -qq --no-install-recommends g++ >/dev/null; \
    if [ "$LLAMA_BACKEND" = cuda ]; then \
      scripts/cuda_toolkit.sh /opt/cuda; \
      export CUDAToolkit_ROOT=/opt/cuda/nvidia/cu13 CUDACXX=/opt/cuda/nvidia/cu13/bin/nvcc; \
    fi; \
    cp "$(XDG_CACHE_HOME=/tmp scripts/llama_wheel.sh python)" wheels/; rm -rf /tmp/kserve-predictors

# The environment of iris and intent: kserve without the packages that serving does not import, and what tells callers.
FROM build AS core
ENV VIRTUAL_ENV=/opt/predictors UV_CONSTRAINT=constraints.txt UV_EXCLUDE=image_excludes.txt
RUN python -m venv --without-pip /opt/predictors
COPY pyproject.toml constraints.txt scripts/image_excludes.txt ./
# Of numpy, a tenth is its own tests.
RUN uv pip install --quiet --requirements pyproject.toml --extra cache --extra jwt --extra signing --extra tracing && \
    find /opt/predictors -path '*/numpy/*' -type d -name tests -prune -exec rm -rf {} +

# The summarizer's environment: the same, and llama.cpp.
FROM core AS core-llama
ARG LLAMA_BACKEND
# yes: with Presidio and spaCy (250 MB), which --fallback_url needs.
ARG FALLBACK=
COPY --from=llama /build/wheels wheels
RUN set -- --extra summarizer ${FALLBACK:+--extra fallback}; \
    if [ "$LLAMA_BACKEND" = cuda ]; then \
      grep -q libggml-cuda wheels/llama_cpp_python-*.whl || { echo "the wheel of llama-cpp-python has no CUDA" >&2; exit 1; }; \
      set -- "$@" --extra cuda; \
    fi; \
    uv pip install --quiet --requirements pyproject.toml "$@" --find-links wheels

# The environment of scikit-learn's models: the same, with scikit-learn, skops, ONNX Runtime, and pandas for named columns.
FROM core AS core-sklearn
RUN sed -i '/^pandas /d' image_excludes.txt && \
    uv pip install --quiet --requirements pyproject.toml --extra sklearn --extra onnx

# The rollout controller's: the same, and the client of the Kubernetes API, which serving does without.
FROM core AS core-rollout
RUN sed -i '/^kubernetes /d' image_excludes.txt && uv pip install --quiet --requirements pyproject.toml --extra rollout

# This package, apart from the environment, so that a change of the code changes a small layer.
FROM build AS code
COPY pyproject.toml README.md ./
COPY predictors predictors
RUN uv pip install --quiet --no-deps --target /code . && sed -i '1s|.*|#!/opt/predictors/bin/python|' /code/bin/predictors

# The default models: trained here, or downloaded. A stage each, so that an image waits for its own alone.
FROM core AS train
RUN uv pip install --quiet --requirements pyproject.toml --extra train
COPY --from=code /code /opt/predictors/lib/python3.11/site-packages

FROM train AS model-iris
RUN /opt/predictors/bin/python -m predictors train iris --out /opt/models/iris

FROM train AS model-intent
RUN /opt/predictors/bin/python -m predictors train intent --out /opt/models/intent

FROM core-llama AS model-summarizer
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libgomp1 >/dev/null && \
    uv pip install --quiet pip
COPY --from=code /code /opt/predictors/lib/python3.11/site-packages
# With a fixed time of change, so that the same model is the same layer.
RUN /opt/predictors/bin/python -m predictors fetch --out /opt/models/summarizer && \
    find /opt/models -exec touch --no-dereference --date=@0 {} +

# ---- What runs -------------------------------------------------------------------------------------------------------

FROM ${PYTHON_IMAGE} AS runtime
# The official image has no bytecode of the standard library, and a container that cannot write any would compile it at every
# start: 1 s of CPU time.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.11/ensurepip /usr/local/lib/python3.11/site-packages/* && \
    python -m compileall -q -x '/(distutils|idlelib|lib2to3|pydoc_data|test|tkinter|turtledemo)/' /usr/local/lib/python3.11
ENV PATH=/opt/predictors/bin:/usr/local/bin:/usr/bin:/bin HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# `make images` adds the version and the revision.
LABEL org.opencontainers.image.title="kserve-predictors" \
      org.opencontainers.image.licenses="Apache-2.0"
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
# Plain HTTP, on the port that the environment names; for TLS or --http_port, give `docker run` a --health-cmd of its own.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["python", "-ISc", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('PREDICTORS_HTTP_PORT') or os.environ.get('PORT') or 8080}/v2/health/ready\", timeout=2)"]
# No name, so that it needs no entry in /etc/passwd, and Kubernetes can tell that it is not root. Any other works too.
USER 65532:65532
WORKDIR /tmp

FROM runtime AS small
COPY --from=core /opt/predictors /opt/predictors
COPY --from=code /code /opt/predictors/lib/python3.11/site-packages
COPY --from=code /code/bin /opt/predictors/bin

FROM small AS iris
COPY --from=model-iris /opt/models/iris /opt/models/iris
ENTRYPOINT ["predictors", "serve", "iris"]
CMD ["--model_dir=/opt/models/iris"]
LABEL org.opencontainers.image.description="Iris predictor for KServe"

FROM small AS intent
COPY --from=model-intent /opt/models/intent /opt/models/intent
ENTRYPOINT ["predictors", "serve", "intent"]
CMD ["--model_dir=/opt/models/intent"]
LABEL org.opencontainers.image.description="Intent predictor for KServe"

# No model of its own: docker run -v ./churn-1:/mnt/models -p 8080:8080 kserve-predictors/sklearn
FROM runtime AS sklearn
COPY --from=core-sklearn /opt/predictors /opt/predictors
COPY --from=code /code /opt/predictors/lib/python3.11/site-packages
COPY --from=code /code/bin /opt/predictors/bin
# A batch is computed by one thread: those of a pool spin while they wait.
ENV OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
ENTRYPOINT ["predictors", "serve", "sklearn"]
CMD ["--model_dir=/mnt/models"]
LABEL org.opencontainers.image.description="Predictor of scikit-learn models for KServe"

# No server of models: it drives rollouts, and has no model.
FROM runtime AS rollout-controller
COPY --from=core-rollout /opt/predictors /opt/predictors
COPY --from=code /code /opt/predictors/lib/python3.11/site-packages
COPY --from=code /code/bin /opt/predictors/bin
HEALTHCHECK NONE
ENTRYPOINT ["predictors", "rollout", "controller"]
LABEL org.opencontainers.image.description="Controller of InferenceRollouts"

FROM runtime AS large
ARG LLAMA_BACKEND
USER 0:0
# llama.cpp's threads.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libgomp1 >/dev/null && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*
COPY --from=core-llama /opt/predictors /opt/predictors
# Where llama.cpp finds CUDA's libraries; its driver is the node's.
RUN if [ "$LLAMA_BACKEND" = cuda ]; then \
      echo /opt/predictors/lib/python3.11/site-packages/nvidia/cu13/lib >/etc/ld.so.conf.d/cuda.conf && /sbin/ldconfig; \
    fi
USER 65532:65532
COPY --from=model-summarizer /opt/models/summarizer /opt/models/summarizer
COPY --from=code /code /opt/predictors/lib/python3.11/site-packages
COPY --from=code /code/bin /opt/predictors/bin

FROM large AS summarizer
ENTRYPOINT ["predictors", "serve", "summarizer"]
CMD ["--model_dir=/opt/models/summarizer"]
LABEL org.opencontainers.image.description="GGUF summarizer for KServe"

FROM large AS all
COPY --from=model-iris /opt/models/iris /opt/models/iris
COPY --from=model-intent /opt/models/intent /opt/models/intent
ENTRYPOINT ["predictors", "serve"]
CMD ["--artifacts_dir=/opt/models"]
LABEL org.opencontainers.image.description="Iris, intent and GGUF summarizer predictors for KServe"
