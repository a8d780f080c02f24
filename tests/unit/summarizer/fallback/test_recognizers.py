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


# As they come out of PDF and word processors.
PRINTED = {
    "card, no-break spaces": ("Card 4111\u00a01111\u00a01111\u00a01111 ok", "Card \0 ok"),
    "card, narrow spaces": ("Card 4111\u202f1111\u20091111\u20071111 ok", "Card \0 ok"),
    "card, hyphens": ("Card 5500\u20110000\u20100000\u22120004 ok", "Card \0 ok"),
    "card, full width": ("Card \uff14111\uff0d1111\uff0d1111\uff0d1111 ok", "Card \0 ok"),
    "card, two spaces": ("Card 4111  1111  1111  1111 ok", "Card \0 ok"),
    "card, lines": ("Card 4111\n1111 1111\r\n 1111 ok", "Card \0 ok"),
    "card, dots": ("Card 4111.1111.1111.1111 ok", "Card \0 ok"),
    "card, Mastercard of the 2-series": ("Card 2223 0031 2200 3222 ok", "Card \0 ok"),
    "card, its end": ("Card 2720990000000007 ok", "Card \0 ok"),
    "card, American Express": ("Card 3782 822463 10005 ok", "Card \0 ok"),
    "IBAN, no-break spaces": ("IBAN DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000 ok", "IBAN \0 ok"),
    "SSN, hyphens": ("SSN 536\u201190\u20114399 ok", "SSN \0 ok"),
    "street, no-break space": ("at 742\u00a0Evergreen Terrace ok", "at \0 ok"),
    "street, capitals": ("AT 742 EVERGREEN TERRACE OK", "AT \0 OK"),
    "e-mail, full width": ("to jim\uff20example.com ok", "to \0 ok"),
}


@pytest.mark.parametrize(("text", "left"), PRINTED.values(), ids=PRINTED)
def test_what_is_printed_otherwise_is_found(recognizers: Recognizers, text: str, left: str) -> None:
    assert hidden(recognizers, text) == left


def test_no_character_becomes_two() -> None:
    assert all(len(plain) == 1 for plain in module._PLAIN.values())


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
HOSTILE = ["a@a.", "a.", "-a", "1", "1 ", "1 Aa ", "1 AA ", "4111 ", "ab:", "DE89 3704 ", "Aa-"]


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
