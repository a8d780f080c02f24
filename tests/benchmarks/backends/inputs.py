"""What is scored: rows on the forest's thresholds and next to them, and texts of all kinds."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from predictors.iris.forest import Forest
from predictors.serving.model.types import FloatArray

# By name; the first is also the one that is timed.
Inputs: TypeAlias = dict[str, Sequence[Any]]
SEED = 20
ROWS = 4096
ALTERED = 1000
_ODD = (
    "",
    " ",
    "?!?!",
    "WHERE IS MY PARCEL",
    "Där är mitt paket?",
    "ÜBER die STRASSE, straße",
    "İstanbul'da mı",
    "где моя посылка",
    "包裹在哪里",
    "thanks 🙏🙏",
    "tab\tand\nline",
    "x" * 3000,
)


def flowers(forest: Forest) -> dict[str, FloatArray]:
    """FP64 rows ``[ROWS, F]`` of each kind."""
    rng = np.random.default_rng(SEED)
    inner = ~forest.is_leaf
    thresholds = [np.unique(forest.threshold[inner & (forest.feature == i)]) for i in range(int(forest.n_features))]
    anywhere = np.column_stack([rng.uniform(values[0] - 0.5, values[-1] + 0.5, ROWS) for values in thresholds])
    exactly = np.column_stack([rng.choice(values, ROWS) for values in thresholds])
    rounded = exactly.astype(np.float32)
    beside = np.nextafter(rounded, rng.choice(np.array([-np.inf, np.inf], dtype=np.float32), rounded.shape))
    return {
        "anywhere": anywhere,
        "on thresholds": exactly,
        "on thresholds as FP32": rounded.astype(np.float64),
        "one FP32 step beside": beside.astype(np.float64),
    }


def texts(utterances: Sequence[str]) -> dict[str, list[str]]:
    """Texts of each kind."""
    rng = np.random.default_rng(SEED)
    order = [utterances[i] for i in rng.permutation(len(utterances))]
    altered = [_altered(first, second, rng) for first, second in zip(order[:ALTERED], order[ALTERED:], strict=False)]
    return {"utterances": order, "altered": altered, "odd": list(_ODD)}


def _altered(first: str, second: str, rng: np.random.Generator) -> str:
    """The start of one text and the end of another, cut anywhere, sometimes in upper case."""
    text = first[: rng.integers(len(first) + 1)] + second[rng.integers(len(second) + 1) :]
    return text.upper() if rng.random() < 0.2 else text


def write(directory: Path, forest: Forest, utterances: Sequence[str]) -> None:
    """Write both models' inputs into a folder."""
    np.savez(directory / "iris-inputs.npz", allow_pickle=False, **flowers(forest))
    (directory / "intent-inputs.json").write_text(json.dumps(texts(utterances)))


def read(directory: Path, model: str) -> Inputs:
    """What `write` wrote for a model."""
    if model == "intent":
        kinds: Inputs = json.loads((directory / "intent-inputs.json").read_text())
        return kinds
    with np.load(directory / "iris-inputs.npz", allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
