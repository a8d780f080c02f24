"""Sentences of documents, distorted by rule: whoever judges them should take nearly all of them for wrong."""

import re
from collections.abc import Iterator

_SWAPS = {"we": "you", "you": "we", "us": "you", "our": "your", "your": "our"}
_RULES: tuple[tuple[str, str, str], ...] = (
    ("polarity", r"\b(?:do|does|did|is|are|was|were|will) (not)\b", ""),
    ("polarity", r"\b(?:may|must|shall|can) (not)\b", ""),
    ("polarity", r"\b(cannot)\b", "can"),
    ("polarity", r"\b(without)\b", "with"),
    ("modality", r"\b(may)\b(?! not)", "must"),
    ("modality", r"\b(must|shall)\b(?! not)", "may"),
    ("condition", r"\b(unless)\b", "if"),
    ("condition", r"(,? (?:unless|except|provided that) [^.;]{8,})", ""),
    ("condition", r"(,? (?:if|when|until) [^.;,]{8,})", ""),
    ("condition", r"\b(only)\b", ""),
    ("condition", r"\b(before)\b", "after"),
    ("limit", r"\b(at least)\b", "at most"),
    ("limit", r"\b(up to)\b", "at least"),
    ("number", r"(\d+)", "77"),
    ("number", r"\b(days)\b", "weeks"),
    ("number", r"\b(months)\b", "years"),
    ("deadline", r"( within \w+ (?:days|hours|weeks|months))", ""),
)


def mutants(sentence: str) -> Iterator[tuple[str, str]]:
    """Distortions of a sentence, each with its kind; one change each."""
    for kind, pattern, instead in _RULES:
        found = re.search(pattern, sentence, re.IGNORECASE)
        if found:
            yield kind, " ".join(f"{sentence[: found.start(1)]}{instead}{sentence[found.end(1) :]}".split())
    swapped = re.sub(r"\b(we|you|us|our|your)\b", _swap, sentence, flags=re.IGNORECASE)
    if swapped != sentence:
        yield "parties", swapped


def _swap(found: re.Match[str]) -> str:
    other = _SWAPS[found[0].lower()]
    return other.capitalize() if found[0][0].isupper() else other
