"""docs/artifacts.md says which pipelines are served: each setting and each classifier that the code decides about."""

import re

import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer

from predictors.intent import linear
from tests.live import ROOT


def rows() -> dict[str, tuple[str, str]]:
    """What the table on text classifiers says is served and refused, by the row's title."""
    section = (ROOT / "docs/artifacts.md").read_text().split("### intent: text classifiers")[1].split("\n###")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {title: (served, refused) for title, served, refused in (row for row in cells if len(row) == 3)}


@pytest.mark.parametrize("vectorizer", [CountVectorizer(), TfidfVectorizer(), TfidfTransformer()])
def test_each_setting_is_in_the_table(vectorizer: CountVectorizer) -> None:
    named = set(re.findall(r"`(\w+)`", " ".join(rows()["settings"])))
    assert set(vectorizer.get_params()) <= named


def test_each_classifier_is_in_the_table() -> None:
    served, _ = rows()["classifier"]
    for kind in re.findall(r"[A-Z]\w+", linear._KNOWN):
        assert f"`{kind}`" in served
