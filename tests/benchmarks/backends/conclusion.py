"""The conclusions from the figures. The reasons are written by hand; every number comes from the run."""

from collections.abc import Iterable

from tests.benchmarks.backends.contenders import OURS, REFERENCE
from tests.benchmarks.backends.report import MODELS, Results, short
from tests.benchmarks.backends.rounds import SIZES, Difference

ONNX, ONNX_FP64, GTIL = "ONNX Runtime", "ONNX Runtime, FP64 rows", "treelite GTIL"
TL2CGEN, COMPILED = "tl2cgen", "tl2cgen's code by ctypes"
MANY = SIZES[-1]


def conclusion(results: Results) -> str:
    """Which way the project uses and why, which ways are faster, and when to choose another."""
    return "\n\n".join(
        [
            "## Conclusion",
            f"The project keeps {OURS}:",
            _list([_exact(results), _safe(), _direct(), _small(results), _one_way(), _fast_enough(results)]),
            "The fastest way to score (whole predictors aside):",
            _list(_fastest(results, model, size) for model in MODELS for size in SIZES),
            f"When to take another; times are multiples of those of {OURS}, for 1 and for {MANY} at once:",
            _list([_compiled(results), _onnx(results), _gtil(results), _sklearn(results)]),
        ]
    )


def _exact(results: Results) -> str:
    onnx, fp64 = (results.measured[results.one(name)].differences for name in (ONNX, ONNX_FP64))
    iris, intent = (results.measured[results.one(OURS, model)].differences for model in MODELS)
    on = fp64["on thresholds"]
    return (
        f"**Their answers are {REFERENCE}'s**: the largest difference is {_largest(iris):.1g} for iris and "
        f"{_largest(intent):.1g} for intent. ONNX Runtime adds up in FP32: its probabilities are off by up to "
        f"{_largest(onnx):.1g}, and {_others(onnx)} rows get another class. Given FP64 rows to compare, it gives "
        f"another class to {on.other_class:,} of {on.rows:,} rows on thresholds, because {REFERENCE} rounds rows to FP32 "
        f"first. treelite and tl2cgen compare what they are given, too; they are exact here because the rows are rounded "
        f"for them."
    )


def _safe() -> str:
    return (
        "**Loading them cannot run code**, and one file serves every platform. A joblib file is a pickle. A compiled "
        "forest is a shared library for one platform, which every author of a model would have to build."
    )


def _direct() -> str:
    return (
        "**They need no converter** that has to follow scikit-learn's releases: `from_sklearn` reads the fitted model's "
        "own arrays."
    )


def _small(results: Results) -> str:
    added: dict[tuple[str, ...], str] = {}
    for contender, packages in results.packages.items():
        if packages.names:
            text = f"{contender.name} {packages.bytes / 1e6:.0f} MB in {len(packages.names)} packages"
            added.setdefault(packages.names, f"{text}, {len(packages.new)} of them new to this server")
    return f"**They install nothing.** Others bring: {'; '.join(added.values())}."


def _one_way() -> str:
    return (
        "**They do for both models.** treelite and tl2cgen know trees alone, and the text classifier does not go through "
        "the converter to ONNX: it refuses runs of characters within words, and what ONNX Runtime makes of the word block "
        "alone is not the same (last table)."
    )


def _fast_enough(results: Results) -> str:
    iris, intent = (results.time(results.one(OURS, model), 1) for model in MODELS)
    return (
        f"**They are fast enough.** A row takes {short(iris)} µs and a text {short(intent)} µs, which is less than what "
        f"a request costs the server around it ([throughput](../benchmarks.md))."
    )


def _fastest(results: Results, model: str, size: int) -> str:
    ours = results.one(OURS, model)
    fastest = min((each for each in results.of(model) if each.needs), key=lambda each: results.time(each, size))
    what = f"{model}, {size} at once: {fastest.name}, {short(results.time(fastest, size))} µs"
    if fastest is ours:
        return what
    return f"{what}; {OURS} {short(results.time(ours, size))} µs, {1 / results.ratio(fastest, size):.1f}× as long"


def _compiled(results: Results) -> str:
    return (
        f"**Compiled code**: tl2cgen's own predictor {_ratios(results, TL2CGEN)}, the bare function, called by ctypes, "
        f"{_ratios(results, COMPILED)}. Take it where batches of hundreds of rows are the load, on one platform, with "
        f"models that you build yourself."
    )


def _onnx(results: Results) -> str:
    return (
        f"**ONNX Runtime**: {_ratios(results, ONNX)}. Take it where other languages score the same file, or where one "
        f"server has to take many kinds of models."
    )


def _gtil(results: Results) -> str:
    return f"**treelite's GTIL**: {_ratios(results, GTIL)}. Take it to check other forms of a forest; it is exact."


def _sklearn(results: Results) -> str:
    return (
        f"**{REFERENCE}**: {_ratios(results, REFERENCE)} for iris, {_ratios(results, REFERENCE, 'intent')} for intent. Take "
        f"it where you train, and for large batches of texts, where it is not far behind."
    )


def _ratios(results: Results, name: str, model: str = "iris") -> str:
    one, many = (results.ratio(results.one(name, model), size) for size in (1, MANY))
    return f"{short(one)}× and {short(many)}×"


def _largest(differences: dict[str, Difference]) -> float:
    return max(found.largest for found in differences.values())


def _others(differences: dict[str, Difference]) -> str:
    rows, others = (sum(getattr(found, name) for found in differences.values()) for name in ("rows", "other_class"))
    return f"{others:,} of {rows:,}"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
