#!/usr/bin/env bash
# Print the path of a llama-cpp-python wheel for this machine; compile it first if it is not in the cache.
#
#   scripts/llama_wheel.sh PYTHON      PYTHON: the interpreter to compile for
#
# The cache is outside the checkout, under a key of everything that the wheel depends on:
# ${XDG_CACHE_HOME:-~/.cache}/kserve-predictors/wheels/<key>/
set -euo pipefail

python=$1
version=$(sed -n 's/^llama_cpp_python==//p' "$(dirname "$0")/../constraints.txt")

# Text models only: no vision, no tools, no HTTPS.
options="-DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_OPENSSL=OFF"

# -march=native would include AMX, which many hypervisors report and then forbid (SIGILL at the first prompt). So on
# x86-64, each vector extension that ggml has kernels for is enabled by name if the processor has it.
if [ "$(uname -m)" = x86_64 ] && [ -r /proc/cpuinfo ]; then
  flags=" $(grep -m1 '^flags' /proc/cpuinfo | cut -d: -f2) "
  enable() { case "$flags" in *" $1 "*) options="$options -D$2=ON" ;; *) options="$options -D$2=OFF" ;; esac; }
  options="$options -DGGML_NATIVE=OFF"
  enable sse4_2 GGML_SSE42
  enable avx GGML_AVX
  enable avx2 GGML_AVX2
  enable bmi2 GGML_BMI2
  enable fma GGML_FMA
  enable f16c GGML_F16C
  enable avx_vnni GGML_AVX_VNNI
  enable avx512vl GGML_AVX512
  enable avx512vbmi GGML_AVX512_VBMI
  enable avx512_vnni GGML_AVX512_VNNI
  enable avx512_bf16 GGML_AVX512_BF16
fi

compiler=$("${CXX:-c++}" --version | head -n 1)
key=$(printf '%s\n' "$version" "$options" "$compiler" "$(uname -sm)" "$(getconf GNU_LIBC_VERSION 2>/dev/null || true)" |
  sha256sum | cut -c1-16)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/kserve-predictors/wheels/$version-$key"

find_wheel() { find "$cache" -maxdepth 1 -name '*.whl' -print -quit 2>/dev/null; }

if [ -z "$(find_wheel)" ]; then
  echo "compiling llama-cpp-python $version for this machine (once; 5 to 10 minutes on 2 cores)" >&2
  mkdir -p "$cache"
  scratch=$(mktemp -d "$cache/build.XXXXXX")
  trap 'kill -- "-${build:-0}" 2>/dev/null || true; rm -rf "$scratch"' EXIT
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
  mv "$scratch"/*.whl "$cache/" # atomically: the cache holds complete wheels only
fi
find_wheel
