#!/usr/bin/env bash
# Fill a folder with what `gcloud functions deploy --source` takes: the function, its requirements, this project as a
# wheel, and the model.
#
#   scripts/function.sh PYTHON ARTIFACT OUT
set -euo pipefail
python=$(realpath --no-symlinks "$1") artifact=$(realpath "$2") out=$3
cd "$(dirname "$0")/.."
rm -rf "$out"
mkdir -p "$out"
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$out" .
cp deploy/function/main.py constraints.txt "$out"
"$python" -m predictors artifact export "$artifact" "$out/iris"
(cat deploy/function/requirements.txt && cd "$out" && ls ./kserve_predictors-*.whl) >"$out/requirements.txt"
