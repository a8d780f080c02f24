"""The ways to score, each as its users would write it: from the file that it loads to probabilities.

Features come as FP64 rows ``[N, 4]`` and texts as a list of strings, as a server gets them from JSON; the time to convert
them to what a library needs is part of its time. Each library is imported on use, so that a process loads only one.
"""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Score: TypeAlias = Callable[[Any], NDArray[Any]]
IRIS_CLASSES = 3


@dataclass(frozen=True, slots=True)
class Needs:
    """What a way to score needs besides time.

    Args:
        file: what it loads.
        imports: the modules that it imports.
        packages: the distributions to install for it, without their dependencies.
        runs_code: whether loading the file can run code in it.
    """

    file: str
    imports: str
    packages: tuple[str, ...]
    runs_code: str


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to score.

    Args:
        name: its name in tables.
        model: ``iris`` or ``intent``.
        load: given a folder of prepared files, returns a function from a batch to probabilities.
        needs: what it needs; None for a whole predictor, which runs in the project's own environment.
    """

    name: str
    model: str
    load: Callable[[Path], Score]
    needs: Needs | None = None

    @property
    def key(self) -> str:
        """A name for the command line and files."""
        return f"{self.model}-{self.name}".replace(" ", "-").replace(",", "")


def _sklearn(file: str) -> Callable[[Path], Score]:
    def load(directory: Path) -> Score:
        import joblib

        score: Score = joblib.load(directory / file).predict_proba
        return score

    return load


def _onnxruntime(file: str, dtype: type) -> Callable[[Path], Score]:
    def load(directory: Path) -> Score:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(directory / file, options, providers=["CPUExecutionProvider"])
        return lambda rows: session.run(["probabilities"], {"rows": rows.astype(dtype)})[0]

    return load


def _treelite(directory: Path) -> Score:
    import treelite  # type: ignore[import-not-found]

    model = treelite.Model.deserialize(directory / "iris.treelite")
    return lambda rows: treelite.gtil.predict(model, rows.astype(np.float32), nthread=1)[:, 0]


def _tl2cgen(directory: Path) -> Score:
    import tl2cgen  # type: ignore[import-not-found]

    predictor = tl2cgen.Predictor(directory / "iris.so", nthread=1)

    def score(rows: NDArray[np.float64]) -> NDArray[Any]:
        rounded = rows.astype(np.float32).astype(np.float64)
        found: NDArray[Any] = predictor.predict(tl2cgen.DMatrix(rounded, dtype="float64"))[:, 0]
        return found

    return score


def _compiled(directory: Path) -> Score:
    predict = ctypes.CDLL(str(directory / "iris.so")).predict
    predict.argtypes, predict.restype = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p), None

    def score(rows: NDArray[np.float64]) -> NDArray[Any]:
        rounded, found = rows.astype(np.float32).astype(np.float64), np.zeros((len(rows), IRIS_CLASSES))
        row, result = rounded.ctypes.data, found.ctypes.data
        row_step, result_step = rounded.strides[0], found.strides[0]
        for _ in range(len(rows)):
            predict(row, 0, result)
            row += row_step
            result += result_step
        return found

    return score


def _forest(directory: Path) -> Score:
    from predictors.iris.forest import Forest
    from predictors.iris.scorer import new_scorer

    return new_scorer(Forest.from_bytes((directory / "iris.npz").read_bytes())).predict_proba


def _text_classifier(directory: Path) -> Score:
    from predictors.intent.tfidf import TextClassifier

    return TextClassifier.from_bytes((directory / "intent.npz").read_bytes()).predict_proba


def _predictor(model: str) -> Callable[[Path], Score]:
    def load(_: Path) -> Score:
        from predictors.intent.model import IntentPredictor
        from predictors.iris.model import IrisPredictor
        from predictors.serving.model.types import FeatureBatch, Job, TextBatch
        from predictors.serving.settings import Source
        from tests.live import ARTIFACTS

        predictor: Any = {"iris": IrisPredictor, "intent": IntentPredictor}[model](model, Source(ARTIFACTS / model))
        predictor.load()
        batch, job = {"iris": FeatureBatch, "intent": TextBatch}[model], Job(time.monotonic() + 3600)
        return lambda rows: np.asarray(predictor.infer(batch(rows), job)["predict_proba"])

    return load


OURS = "plain arrays"
REFERENCE = "scikit-learn"
_SKLEARN = ("joblib, sklearn.ensemble", ("scikit-learn",), "yes: a pickle")
_ARRAYS = ((), "no: arrays, checked")
CONTENDERS = (
    Contender(REFERENCE, "iris", _sklearn("iris.joblib"), Needs("iris.joblib", *_SKLEARN)),
    Contender(
        "ONNX Runtime",
        "iris",
        _onnxruntime("iris.onnx", np.float32),
        Needs("iris.onnx", "onnxruntime", ("onnxruntime",), "no"),
    ),
    Contender(
        "ONNX Runtime, FP64 rows",
        "iris",
        _onnxruntime("iris-fp64.onnx", np.float64),
        Needs("iris-fp64.onnx", "onnxruntime", ("onnxruntime",), "no"),
    ),
    Contender("treelite GTIL", "iris", _treelite, Needs("iris.treelite", "treelite", ("treelite",), "no")),
    Contender("tl2cgen", "iris", _tl2cgen, Needs("iris.so", "tl2cgen", ("tl2cgen",), "yes: a shared library")),
    Contender("tl2cgen's code by ctypes", "iris", _compiled, Needs("iris.so", "ctypes", (), "yes: a shared library")),
    Contender(OURS, "iris", _forest, Needs("iris.npz", "predictors.iris.forest, predictors.iris.scorer", *_ARRAYS)),
    Contender("IrisPredictor.infer", "iris", _predictor("iris")),
    Contender(
        REFERENCE,
        "intent",
        _sklearn("intent.joblib"),
        Needs(
            "intent.joblib",
            "joblib, sklearn.pipeline, sklearn.linear_model, sklearn.feature_extraction.text",
            *_SKLEARN[1:],
        ),
    ),
    Contender(OURS, "intent", _text_classifier, Needs("intent.npz", "predictors.intent.tfidf", *_ARRAYS)),
    Contender("IntentPredictor.infer", "intent", _predictor("intent")),
)


def by_key(key: str) -> Contender:
    """The contender with this key."""
    return next(contender for contender in CONTENDERS if contender.key == key)
