#!/usr/bin/env bash
# Install what compiles and links CUDA code, from PyPI, in the form that CMake expects: scripts/cuda_toolkit.sh DIRECTORY
#
# CUDAToolkit_ROOT is then DIRECTORY/nvidia/cu13, and nvcc in its bin. It needs uv. NVIDIA's licence applies: https://docs.nvidia.com/cuda/eula/
set -euo pipefail
root="$1/nvidia/cu13"
# The libraries are those of the image (the extra `cuda`): a program runs with what it was linked with.
uv pip install --quiet --target "$1" --constraint "$(dirname "$0")/../constraints.txt" \
  nvidia-cublas nvidia-cuda-runtime "cuda-toolkit[cccl,nvcc]==13.0.*"
for library in "$root"/lib/*.so.*; do # the linker looks for names without a version
  ln -sf "$(basename "$library")" "${library%%.so.*}.so"
done
ln -sfn lib "$root/lib64" # where nvcc looks
