"""From a fitted estimator to an ONNX graph that gives the same answers, or the reason why there is none.

Each way to convert is tried in turn, and the graph is compared with scikit-learn on thousands of rows. The first that
agrees is taken: a graph in FP64, or one in FP32 of a model that is nothing but trees, which round to FP32 themselves.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from predictors.serving.errors import ArtifactError, InvalidInput, ServingError
from predictors.serving.model.types import (
    Column,
    ColumnBatch,
    ColumnInput,
    FeatureInput,
    Outputs,
    TextInput,
)
from predictors.sklearn import nesting
from predictors.sklearn.estimator import Runner
from predictors.sklearn.frames import Rows
from predictors.sklearn.onnx_file import FEATURES, OnnxRunner
from predictors.sklearn.ranges import known_categories, thresholds
from predictors.sklearn.signature import Signature
from predictors.sklearn.tree_graphs import sharpen

ABSOLUTE, RELATIVE = 1e-6, 1e-5
"""How far numbers may be apart: the sum of ABSOLUTE, and RELATIVE times the number."""
_NEVER_SEEN = "never seen before"
_OPSETS = {"": 18, "ai.onnx.ml": 3}


class Conversion(NamedTuple):
    """What came of a conversion.

    Args:
        onnx: the graph; None if there is none.
        says: how it was compared, or why there is none.
    """

    onnx: bytes | None
    says: str


def convert(model: Any, signature: Signature, original: Runner, batch: Rows) -> Conversion:
    """Convert a model, and compare.

    Args:
        model: the fitted estimator.
        signature: what it takes and gives.
        original: computes it with scikit-learn.
        batch: the rows to compare on.
    """
    if isinstance(signature.input, TextInput):
        return Conversion(None, "no ONNX form: ONNX Runtime divides texts into other words than scikit-learn")
    if isinstance(signature.input, ColumnInput) and _strings_may_be_missing(signature.input):
        return Conversion(None, "no ONNX form: ONNX has no strings that are missing")
    if nesting.splits_on_gaps(model):
        return Conversion(None, "no ONNX form: a tree separates missing values from all others, which ONNX cannot")
    try:
        import onnxruntime  # noqa: F401
        import skl2onnx  # noqa: F401
    except ImportError:
        return Conversion(None, "no ONNX form: skl2onnx is not installed (kserve-predictors[onnx])")
    wanted, reasons = original.run(batch), []
    if _only_sure(model, wanted):
        return Conversion(None, "no ONNX form: no rows found on which the model is undecided")
    for precision in _precisions(model):
        try:
            raw = _PRECISIONS[precision](model, signature)
            runner = OnnxRunner(raw, signature)
            difference = _compare(runner.run(batch), wanted) or _compare_strange(
                runner, original, _strange(model, batch)
            )
        except Exception as error:  # noqa: BLE001  # converters and runtimes raise anything
            reasons.append(f"{precision}: {_one_line(error)}")
            continue
        if not difference:
            return Conversion(raw, f"in {precision}, equal to scikit-learn on {len(batch)} rows within {RELATIVE:g}")
        reasons.append(f"{precision}: {difference}")
    return Conversion(None, f"no ONNX form: {'; '.join(reasons)}")


def _strings_may_be_missing(kind: ColumnInput) -> bool:
    return any(spec.datatype == "BYTES" and spec.name in kind.missing for spec in kind.columns)


def _one_line(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:160]}"


def _in_double(model: Any, signature: Signature) -> bytes:
    graph = _graph(model, signature, "FP64")
    sharpen(graph, _graph(model, signature, "FP32"), model)
    serialized: bytes = graph.SerializeToString()
    return serialized


def _in_single(model: Any, signature: Signature) -> bytes:
    serialized: bytes = _graph(model, signature, "FP32").SerializeToString()
    return serialized


_PRECISIONS: Mapping[str, Callable[[Any, Signature], bytes]] = {"FP64": _in_double, "FP32": _in_single}


_SURE = 0.999
_MOSTLY = 0.95
"""If a model is surer than _SURE on more than this part of the rows, they show nothing of how it weighs them."""


def _precisions(model: Any) -> list[str]:
    """Those to try: FP32 loses digits of features that any model but trees takes in full."""
    return [name for name in _PRECISIONS if name != "FP32" or nesting.only_trees(model)]


def _only_sure(model: Any, wanted: Outputs) -> bool:
    """Whether the rows say too little; trees are asked at their thresholds, and show all if they have two answers."""
    if "predict_proba" not in wanted or len(wanted["predict"]) == 0:
        return False
    if thresholds(nesting.flat_steps(model)[-1]) is not None and len(set(_items(wanted["predict"]))) > 1:
        return False
    return bool((np.asarray(wanted["predict_proba"]).max(axis=1) > _SURE).mean() > _MOSTLY)


def _graph(model: Any, signature: Signature, precision: str) -> Any:
    """Convert; gives an `onnx.ModelProto`."""
    from skl2onnx import to_onnx

    options: dict[str, Any] = {}
    if signature.has("predict_proba"):
        options["zipmap"] = False
    if signature.has("decision_function") and signature.task == "classification":
        options["raw_scores"] = True
        options["zipmap"] = False
    for given in _fewer(options):
        with warnings.catch_warnings(), contextlib.suppress(NameError):  # this converter has no such option
            warnings.simplefilter("ignore")  # of what converters of older releases use
            return to_onnx(
                model,
                initial_types=_inputs(signature, precision),
                options={id(model): given} if given else None,
                target_opset=_OPSETS,
            )
    raise ValueError("its converter takes none of the options")


def _fewer(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All options, then each alone, then none."""
    yield options
    yield from ({name: value} for name, value in options.items())
    yield {}


def _inputs(signature: Signature, precision: str) -> list[tuple[str, Any]]:
    from skl2onnx.common import data_types as types

    number = types.DoubleTensorType if precision == "FP64" else types.FloatTensorType
    if isinstance(signature.input, FeatureInput):
        return [(FEATURES, number([None, len(signature.input.names)]))]
    by_datatype = {
        "FP64": number,
        "INT64": types.Int64TensorType,
        "BOOL": types.BooleanTensorType,
        "BYTES": types.StringTensorType,
    }
    return [(spec.name, by_datatype[spec.datatype]([None, 1])) for spec in signature.input.specs()]


def _compare(found: Outputs, wanted: Outputs) -> str:
    """How two answers differ; empty if they do not."""
    undecided: NDArray[np.bool_] = _undecided(wanted)
    for name, column in wanted.items():
        other = found[name]
        if isinstance(column, list) or np.asarray(column).dtype.kind in "bi":
            differs: NDArray[Any] = np.array(
                [mine != theirs for mine, theirs in zip(_items(column), _items(other), strict=True)]
            )
            differs = differs & ~undecided
        else:
            mine, theirs = np.asarray(column, dtype=np.float64), np.asarray(other, dtype=np.float64)
            apart = ~(np.abs(mine - theirs) <= ABSOLUTE + RELATIVE * np.abs(mine))
            differs = np.asarray(apart.reshape(len(apart), -1).any(axis=1))
        if differs.any():
            return f'the output "{name}" differs from scikit-learn\'s on {int(differs.sum())} of {len(differs)} rows'
    return ""


def _strange(model: Any, batch: Rows) -> Iterator[ColumnBatch]:
    """Rows with categories that the model never saw: in all columns of strings at once, and in each column alone."""
    if not isinstance(batch, ColumnBatch):
        return
    strings: dict[str, Column] = {
        name: [_NEVER_SEEN] * len(column) for name, column in batch.columns.items() if isinstance(column, list)
    }
    yield ColumnBatch(batch.columns | strings)
    for name, known in known_categories(model, tuple(batch.columns)).items():
        column = batch.columns[name]
        if isinstance(column, list):
            yield ColumnBatch(batch.columns | {name: strings[name]})
        elif column.dtype.kind in "if" and known:
            beyond = max(known) + (1 if column.dtype.kind == "i" else 0.5)
            yield ColumnBatch(batch.columns | {name: np.full_like(column, beyond)})


def _compare_strange(runner: Runner, original: Runner, strange: Iterator[ColumnBatch]) -> str:
    """How two forms differ on categories that the model never saw, which it may refuse; empty if they do not."""
    for batch in strange:
        answers: list[Outputs | None] = []
        for each in (runner, original):
            try:
                answers.append(each.run(batch))
            except InvalidInput:
                answers.append(None)
        found, wanted = answers
        if (found is None) != (wanted is None):
            return "categories that the model does not know are not refused by both"
        if found is not None and wanted is not None and (difference := _compare(found, wanted)):
            return difference
    return ""


def _undecided(outputs: Outputs) -> Any:
    """Rows on which scikit-learn itself finds two classes equally likely, so that rounding decides."""
    if "predict_proba" not in outputs:
        return np.zeros(len(outputs["predict"]), dtype=bool)
    best = np.sort(np.asarray(outputs["predict_proba"]), axis=1)[:, -2:]
    return best[:, -1] - best[:, 0] <= ABSOLUTE


def _items(column: Column) -> list[Any]:
    return column if isinstance(column, list) else column.tolist()


def check_same(runner: Runner, batch: Rows, wanted: Outputs) -> None:
    """Compare another form of the model with what scikit-learn gave.

    Raises:
        ArtifactError: they differ.
    """
    try:
        difference = _compare(runner.run(batch), wanted)
    except ServingError as error:
        difference = str(error)
    if difference:
        raise ArtifactError(f"the form that was written does not give the model's answers: {difference}")
