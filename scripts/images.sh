#!/usr/bin/env bash
# Build images with docker or buildah, whichever is there.
#
#   scripts/images.sh REGISTRY TAG TARGET…
#
# BUILD_FLAGS is passed to `docker build` or `buildah build`; BUILDER, LLAMA_BACKEND, LLAMA_INDEX, PYTHON_IMAGE and WHEELS
# are as in the Makefile.
set -euo pipefail
cd "$(dirname "$0")/.."
registry=$1 tag=$2
shift 2

if [ -z "${BUILDER:-}" ]; then
  if docker info >/dev/null 2>&1; then BUILDER=docker; elif command -v buildah >/dev/null; then BUILDER=buildah; fi
fi
case "${BUILDER:-}" in
docker) build=(docker build) ;;
buildah) build=(buildah build --layers --format docker) ;; # OCI's format knows no HEALTHCHECK
*)
  echo "make images needs docker (with its engine running) or buildah" >&2
  exit 1
  ;;
esac

if [ -n "${WHEELS:-}" ]; then
  trap 'rm -f wheels/*.whl' EXIT # the next build may be meant to compile
  cp "$WHEELS"/llama_cpp_python-*.whl wheels/
fi
revision=$(git rev-parse HEAD 2>/dev/null || true)
for target; do
  echo "building $registry/$target:$tag"
  # shellcheck disable=SC2086  # several flags
  "${build[@]}" ${BUILD_FLAGS:-} --target "$target" --tag "$registry/$target:$tag" \
    --label "org.opencontainers.image.version=$tag" --label "org.opencontainers.image.revision=$revision" \
    ${PYTHON_IMAGE:+--build-arg "PYTHON_IMAGE=$PYTHON_IMAGE"} \
    --build-arg "LLAMA_INDEX=${LLAMA_INDEX:-}" --build-arg "LLAMA_BACKEND=${LLAMA_BACKEND:-cpu}" .
done
