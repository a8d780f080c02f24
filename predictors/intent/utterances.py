"""The utterances that come with the package: what the classifier is trained on."""

import csv
import io
from importlib.resources import files


def utterances() -> tuple[list[str], list[str]]:
    """Texts and their labels, the background class among them."""
    rows = list(csv.DictReader(io.StringIO(files("predictors.intent").joinpath("utterances.csv").read_text("utf-8"))))
    return [row["text"] for row in rows], [row["label"] for row in rows]
