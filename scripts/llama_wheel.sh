#!/usr/bin/env bash
# Print the path of a llama-cpp-python wheel for this kind of machine; compile it first if it is not in the cache.
#
#   scripts/llama_wheel.sh PYTHON      PYTHON: the interpreter to compile for
#
# With LLAMA_BACKEND=cuda, it is for NVIDIA's GPUs too. CUDAToolkit_ROOT and CUDACXX say where CUDA's toolkit and its nvcc
# are, if not where CMake looks, and CUDA_ARCHITECTURES which GPUs (CMAKE_CUDA_ARCHITECTURES; by default all that ggml knows).
#
# On x86-64, the wheel holds ggml's CPU code once for each generation of processors, and llama.cpp loads the best one at
# start (predictors/summarizer/llama/library.py). So one wheel is right for every processor, in images too.
#
# The cache is outside the checkout, under a key of everything that the wheel depends on:
# ${XDG_CACHE_HOME:-~/.cache}/kserve-predictors/wheels/<key>/
set -euo pipefail

python=$1
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^llama_cpp_python==//p' "$here/../constraints.txt")

# Text models only: no vision, no tools, no HTTPS.
options="-DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_OPENSSL=OFF"
# Elsewhere than on x86-64, Debian 12's compiler lacks what the newest variants need, so that the build is for this machine.
[ "$(uname -m)" != x86_64 ] ||
  options="$options -DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DCMAKE_INSTALL_BINDIR=llama_cpp/lib"
# The driver's library is not linked, so that the same wheel loads on a machine without one.
[ "${LLAMA_BACKEND:-cpu}" != cuda ] ||
  options="$options -DGGML_CUDA=ON -DGGML_CUDA_NO_VMM=ON${CUDA_ARCHITECTURES:+ -DCMAKE_CUDA_ARCHITECTURES=$CUDA_ARCHITECTURES}"

compiler=$("${CXX:-c++}" --version | head -n 1)
key=$(printf '%s\n' "$version" "$options" "$compiler" "$(uname -sm)" "$(getconf GNU_LIBC_VERSION 2>/dev/null || true)" |
  cat - "$here/slim_wheel.py" | sha256sum | cut -c1-16)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/kserve-predictors/wheels/$version-$key"

find_wheel() { find "$cache" -maxdepth 1 -name '*.whl' -print -quit 2>/dev/null; }

if [ -z "$(find_wheel)" ]; then
  echo "compiling llama-cpp-python $version (once; 10 to 20 minutes on 2 cores)" >&2
  mkdir -p "$cache"
  scratch=$(mktemp -d "$cache/build.XXXXXX")
  trap '[ -z "${build:-}" ] || kill -- "-$build" 2>/dev/null || true; rm -rf "$scratch"' EXIT
  log="$scratch/log"
  # Without pip's own cache, whose key ignores the options.
  set -m # a process group of its own, so that all of it can be killed
  CMAKE_ARGS="$options" "$python" -m pip wheel --verbose --no-deps --no-cache-dir --no-binary llama-cpp-python \
    --wheel-dir "$scratch" "llama-cpp-python==$version" >"$log" 2>&1 &
  build=$!
  set +m
  started=$SECONDS
  while kill -0 "$build" 2>/dev/null; do
    sleep 1
    if [ $(((SECONDS - started) % 15)) -eq 0 ]; then
      echo "  $((SECONDS - started)) s: step $(grep -oE '\[[0-9]+/[0-9]+\]' "$log" | tail -n 1 || true)" >&2
    fi
  done
  if ! wait "$build"; then
    tail -n 40 "$log" >&2
    echo "llama-cpp-python did not compile. To use a prebuilt wheel: make serve LLAMA_INDEX=<an index that has one>" >&2
    exit 1
  fi
  "$python" "$here/slim_wheel.py" "$scratch"/*.whl
  mv "$scratch"/*.whl "$cache/" # atomically: the cache holds complete wheels only
fi
find_wheel
