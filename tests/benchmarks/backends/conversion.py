"""Converts the trained models for all contenders.

Runs in their environment, as ``python -m … ARTIFACTS DIRECTORY``. The last line of its output is JSON: for each part of
the intent pipeline, the outcome of converting it to ONNX.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnxruntime
import skl2onnx
import tl2cgen  # type: ignore[import-not-found]
import treelite  # type: ignore[import-not-found]
from skl2onnx.common import data_types

from tests.benchmarks.backends import inputs

# The error that FP32 arithmetic may add to a TF-IDF weight, which is at most 1.
_ROUNDING = 1e-5


def convert_iris(artifact: Path, directory: Path) -> None:
    """Write the forest in every format; the shared library needs gcc or clang."""
    shutil.copy(artifact / "model.joblib", directory / "iris.joblib")
    shutil.copy(artifact / "model.npz", directory / "iris.npz")
    model = joblib.load(artifact / "model.joblib")
    for file, kind in (("iris.onnx", data_types.FloatTensorType), ("iris-fp64.onnx", data_types.DoubleTensorType)):
        signature = [("rows", kind([None, model.n_features_in_]))]
        converted = skl2onnx.to_onnx(model, initial_types=signature, options={"zipmap": False})
        (directory / file).write_bytes(converted.SerializeToString())
    trees = treelite.sklearn.import_model(model)
    trees.serialize(directory / "iris.treelite")
    toolchain = "gcc" if shutil.which("gcc") else "clang"
    tl2cgen.export_lib(trees, toolchain=toolchain, libpath=directory / "iris.so", options=["-O3"])


def convert_intent(artifact: Path, directory: Path) -> list[tuple[str, str]]:
    """Copy the text classifier's own formats, and try to convert it to ONNX; returns parts and outcomes."""
    shutil.copy(artifact / "model.joblib", directory / "intent.joblib")
    shutil.copy(artifact / "model.npz", directory / "intent.npz")
    pipeline = joblib.load(artifact / "model.joblib")
    words = dict(pipeline.named_steps["features"].transformer_list)["words"]
    texts = [text for kind in inputs.read(directory, "intent").values() for text in kind]
    return [
        ("the pipeline, converted", _outcome(lambda: _to_onnx(pipeline))),
        ("its word block alone, converted and opened", _outcome(lambda: _open(_to_onnx(words)))),
        ("the same, with the locale C.UTF-8", _outcome(lambda: _open(_with_locale(_to_onnx(words))))),
        ("the same, and the pattern without `(?u)`", _outcome(lambda: _compare(words, texts))),
    ]


def _to_onnx(part: Any) -> Any:
    return skl2onnx.to_onnx(part, initial_types=[("texts", data_types.StringTensorType([None, 1]))])


def _open(model: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # the exception says what went wrong
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _with_locale(model: Any) -> Any:
    """The graph with a locale that every Linux has; without one it needs en_US.UTF-8."""
    for node in model.graph.node:
        if node.op_type == "StringNormalizer":
            node.attribute.add(name="locale", type=3, s=b"C.UTF-8")  # 3: a string
    return model


def _compare(words: Any, texts: list[str]) -> str:
    expected = words.transform(texts)
    words.token_pattern = words.token_pattern.removeprefix("(?u)")
    session = _open(_with_locale(_to_onnx(words)))
    largest, differing = 0.0, 0
    for start in range(0, len(texts), 256):
        batch = np.array(texts[start : start + 256], dtype=object)[:, None]
        gaps = np.abs(session.run(None, {"texts": batch})[0] - expected[start : start + 256].toarray()).max(axis=1)
        largest, differing = max(largest, float(gaps.max())), differing + int((gaps > _ROUNDING).sum())
    return f"runs; features of {differing} of {len(texts)} texts differ, by up to {largest:.2g} of at most 1"


def _outcome(attempt: Callable[[], Any]) -> str:
    """What an attempt returns, or its error."""
    try:
        outcome = attempt()
    except Exception as error:  # noqa: BLE001  # any error is a finding
        return " ".join(f"{type(error).__name__}: {error}".split())
    return outcome if isinstance(outcome, str) else "works"


def main() -> None:
    artifacts, directory = Path(sys.argv[1]), Path(sys.argv[2])
    convert_iris(artifacts / "iris", directory)
    print(json.dumps(convert_intent(artifacts / "intent", directory)))


if __name__ == "__main__":
    main()
