import io
import json
import random

import joblib
import numpy as np
import pytest

from predictors.intent.analysis import Analysis
from predictors.intent.intents import Intents
from predictors.intent.proof import trial_texts
from predictors.intent.tfidf import Block, Link, TextClassifier, Weighting
from predictors.intent.utterances import utterances
from predictors.serving.errors import ArtifactError
from tests.live import ARTIFACTS

ODD = [
    "İstanbul",
    "ǅungla",
    "ß",
    "naïve",
    "\u200b",
    "\x1c",
    "\u2028",
    "🤖",
    "a_b",
    "l'été",
    "ﬁ",
    "!?",
    "''",
    "\x00",
    "١٢",
]


def random_texts(count: int) -> list[str]:
    """Texts in the neighbourhood of real ones: cut, joined, misspelt, with odd white space and characters."""
    rng = random.Random(5)
    words = [word for text in utterances()[0] for word in text.split()]
    texts = []
    for _ in range(count):
        parts = rng.choices(words, k=rng.randint(0, 12)) + rng.choices(ODD, k=rng.choice([0, 0, 1, 3]))
        rng.shuffle(parts)
        text = rng.choice([" ", "  ", "\t", "\n", ""]).join(parts)
        texts.append("".join(c for c in text if rng.random() > 0.02))
    return texts


def test_equals_scikit_learn_on_10_000_random_texts() -> None:
    pipeline = joblib.load(io.BytesIO((ARTIFACTS / "intent/model.joblib").read_bytes()))
    ours = TextClassifier.from_bytes((ARTIFACTS / "intent/model.npz").read_bytes())
    texts = random_texts(10_000)
    expected = pipeline.predict_proba(texts)
    actual = ours.predict_proba(texts)
    assert ours.classes == tuple(pipeline.classes_)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(np.array(ours.classes)[actual.argmax(axis=1)], pipeline.predict(texts))
    folded = Intents.of(ours.classes).fold(actual)
    np.testing.assert_allclose(folded.sum(axis=1), 1.0)


def classifier() -> TextClassifier:
    """Two blocks with terms and stop words that hold spaces, line feeds and letters of other scripts."""
    words = Analysis(
        "word", 1, 2, lowercase=False, accents="ascii", pattern=r"\S+", stop_words=frozenset({"the", "ö\n"})
    )
    chars = Analysis("char", 1, 3)
    blocks = (
        Block(
            words, Weighting(True, False, "none"), {"a b": 1, "": 0}, np.array([1.0, 2.0]), np.arange(6.0).reshape(2, 3)
        ),
        Block(chars, Weighting(False, True, "l1"), {"\n": 0, "ü": 1}, np.ones(2), np.ones((2, 3))),
    )
    return TextClassifier(blocks, np.array([0.5, 0.0, -0.5]), ("ja", "nein", "weiß nicht"), "one_vs_rest")


def test_everything_about_it_is_stored() -> None:
    ours = classifier()
    read = TextClassifier.from_bytes(ours.to_bytes())
    assert (read.classes, read.link) == (ours.classes, ours.link)
    for mine, other in zip(ours.blocks, read.blocks, strict=True):
        assert (mine.analysis, mine.weighting, mine.index) == (other.analysis, other.weighting, other.index)
    texts = ["a b", "the a\n b ü", "\n\n", "", "ö"]
    np.testing.assert_array_equal(ours.predict_proba(texts), read.predict_proba(texts))


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"\x80\x04."])
def test_what_is_no_archive_is_refused(raw: bytes) -> None:
    with pytest.raises(ArtifactError, match="not a text classifier's npz archive"):
        TextClassifier.from_bytes(raw)


def rewritten(**changes: object) -> bytes:
    """The archive of `classifier`, with other arrays, or another value at a path in its JSON document."""
    with np.load(io.BytesIO(classifier().to_bytes())) as archive:
        arrays = {name: archive[name] for name in archive.files}
    document = json.loads(arrays["document"].tobytes())
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = document
        for parent in parents:
            place = place[int(parent) if parent.isdigit() else parent]
        if path in arrays:
            arrays[path] = np.asarray(value)
        else:
            place[last] = value
    arrays["document"] = np.frombuffer(json.dumps(document).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("coefficients_0", np.ones((1, 3))),
        ("coefficients_1", np.ones((2, 3), dtype=np.float32)),
        ("idf_0", np.ones(3)),
        ("intercept", np.zeros(2)),
        ("link", "probit"),
        ("classes", ["a", "b"]),
        ("classes", ["a", "a", "b"]),
        ("classes", [1, 2, 3]),
        ("blocks", []),
        ("blocks__0__terms", ["one"]),
        ("blocks__0__analysis__analyzer", "sentence"),
        ("blocks__0__analysis__pattern", "("),
        ("blocks__0__analysis__low", 0),
        ("blocks__0__analysis__accents", "none"),
        ("blocks__1__weighting__norm", "max"),
    ],
)
def test_an_archive_whose_parts_do_not_fit_is_refused(path: str, value: object) -> None:
    assert TextClassifier.from_bytes(rewritten()).classes == classifier().classes
    with pytest.raises(ArtifactError, match="do not fit together"):
        TextClassifier.from_bytes(rewritten(**{path: value}))


@pytest.mark.parametrize("path", ["blocks__0__analysis__speed", "blocks__0__weighting__speed"])
def test_an_archive_with_a_setting_that_is_not_known_is_refused(path: str) -> None:
    with pytest.raises(ArtifactError, match="train or pack the model again"):
        TextClassifier.from_bytes(rewritten(**{path: 1}))


@pytest.mark.parametrize(("link", "expected"), [("one_vs_rest", 1 / 3), ("one_vs_rest_or_none", 0)])
def test_where_no_class_has_a_chance_against_the_rest(link: Link, expected: float) -> None:
    hopeless = TextClassifier(classifier().blocks, np.full(3, -800.0), ("a", "b", "c"), link)
    np.testing.assert_array_equal(hopeless.predict_proba([""]), [[expected] * 3])


def test_trial_texts_have_all_kinds_of_terms_in_them() -> None:
    texts = trial_texts(TextClassifier.from_bytes((ARTIFACTS / "intent/model.npz").read_bytes()))
    assert len(texts) > 1_000
    assert all(text.strip() for text in texts)
    assert any("🤖" in text for text in texts)
