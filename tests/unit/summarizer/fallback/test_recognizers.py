"""What is found of personal data, and what is taken for it: the table was written before the patterns were."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest
import spacy

from predictors.serving.errors import StartupError
from predictors.summarizer.fallback import recognizers as module
from predictors.summarizer.fallback.recognizers import Recognizers, Span
from tests.unit.summarizer.fallback.personal_data import FOUND, KEPT, Case

# What the table has wrong, known and accepted: each comes back as it was, since placeholders are undone.
TAKEN_FOR_DATA = {"clause", "large number", "way of speaking", "order"}


@pytest.fixture(scope="module")
def recognizers() -> Recognizers:
    return Recognizers()


def hidden(recognizers: Recognizers, text: str) -> str:
    """The text with what was found struck out."""
    for span in reversed(recognizers.find(text)):
        text = f"{text[: span.start]}\0{text[span.end :]}"
    return text


@pytest.mark.parametrize("case", FOUND.values(), ids=FOUND)
def test_personal_data_is_found(recognizers: Recognizers, case: Case) -> None:
    left = hidden(recognizers, case.text)
    for part in case.secret.split(","):
        assert part.strip() not in left
    assert "@" not in left


@pytest.mark.parametrize("name", KEPT)
def test_what_contracts_are_full_of_stays(recognizers: Recognizers, name: str) -> None:
    text = KEPT[name].text
    assert (hidden(recognizers, text) == text) is (name not in TAKEN_FOR_DATA)


def test_without_presidio_there_is_no_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(
        StartupError, match=r"--fallback_url needs Presidio.*pip install 'kserve-predictors\[fallback\]'$"
    ):
        Recognizers()


def test_what_overlaps_or_touches_is_one() -> None:
    spans = [Span(5, 9, "B"), Span(0, 4, "A"), Span(8, 20, "C"), Span(20, 21, "D"), Span(30, 31, "E")]
    assert module._merged(spans) == [Span(0, 4, "A"), Span(5, 21, "C"), Span(30, 31, "E")]


def test_nobody_is_asked(recognizers: Recognizers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio's own recognizer of e-mail addresses would fetch the list of top-level domains."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert recognizers.find("jim@example.com") == [Span(0, 15, "EMAIL_ADDRESS")]


# Each would take a pattern that backtracks minutes.
HOSTILE = ["a@a.", "a.", "-a", "1", "1 ", "1 Aa ", "ab:", "DE89 3704 ", "Aa-"]


@pytest.mark.parametrize("part", HOSTILE)
def test_hostile_texts_do_not_take_long(recognizers: Recognizers, part: str) -> None:
    """As long as any chat that is sent: 2,048 tokens."""
    begun = time.thread_time()
    recognizers.find(part * (9_000 // len(part)) + " @")
    assert time.thread_time() - begun < 5


def test_what_presidio_may_have_skipped_is_not_sent(recognizers: Recognizers, monkeypatch: pytest.MonkeyPatch) -> None:
    """It skips a pattern that takes a minute, and says so to its log alone."""
    assert recognizers._most_seconds == 60
    monkeypatch.setattr(recognizers, "_most_seconds", 0.0)
    with pytest.raises(TimeoutError):
        recognizers.find("jim@example.com")


def test_names_are_found_by_a_language_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    language = spacy.blank("en")
    ruler: Any = language.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Ada Lovelace"}])
    language.to_disk(tmp_path)
    assert module._language_model() == ""  # none is installed where tests run
    monkeypatch.setattr(module, "_language_model", lambda: str(tmp_path))
    with_names = Recognizers()
    assert with_names.language_model == str(tmp_path)
    assert hidden(with_names, "Ada Lovelace wrote to jim@example.com.") == "\0 wrote to \0."
    assert hidden(with_names, "Grace Hopper did not.") == "Grace Hopper did not."
