"""What personal data is in a text: Presidio's recognizers, and patterns of addresses.

None of them asks anybody anything: Presidio's own recognizer of e-mail addresses would fetch the list of top-level
domains. Names of people have no pattern. They are found only if a language model for spaCy is installed.
"""

import logging
import re
import time
from importlib.util import find_spec
from typing import Any, NamedTuple

from predictors.serving.errors import StartupError
from predictors.summarizer.fallback.addresses import PATTERNS
from predictors.summarizer.fallback.cards import CARD_PATTERNS, SEPARATORS

_LANGUAGE = "en"  # as Presidio calls it; the patterns are of no language
# Presidio gives telephone numbers 0.4, and more to all else that is more than a guess.
_LEAST_SCORE = 0.4
_ADDRESS_SCORE = 0.6
_CARD_SCORE = 0.3  # as Presidio's own; what passes the checksum is certain
_NAMES = "PERSON"
_SILENT = logging.CRITICAL + 1
# What texts from PDF and word processors have in place of what the patterns expect, character for character, so that
# all places stay: spaces and dashes of all kinds, and ASCII of full width.
_PLAIN = {
    **dict.fromkeys((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2212), "-"),
    **{wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
}


class Span(NamedTuple):
    """A place in a text.

    Args:
        start, end: of it.
        kind: what is there, such as ``EMAIL_ADDRESS``.
    """

    start: int
    end: int
    kind: str


class Recognizers:
    """Finds personal data. Takes seconds to make.

    Raises:
        StartupError: Presidio is not installed.
    """

    def __init__(self) -> None:
        if find_spec("presidio_analyzer") is None:
            raise StartupError(
                "--fallback_url needs Presidio, which finds personal data before anything leaves: "
                "pip install 'kserve-predictors[fallback]'"
            )
        logging.getLogger("presidio-analyzer").setLevel(_SILENT)  # its errors quote what they are about
        self.language_model = _language_model()
        """The model for spaCy that finds names; empty if there is none."""
        self._analyzer = _new_analyzer(self.language_model)
        self._most_seconds = _seconds_of_a_pattern()

    def find(self, text: str) -> list[Span]:
        """Find all of it: places that neither touch nor overlap, in order.

        Raises:
            TimeoutError: it took so long that Presidio may have skipped a pattern.
        """
        begun = time.monotonic()
        found = self._analyzer.analyze(text.translate(_PLAIN), _LANGUAGE, score_threshold=_LEAST_SCORE)
        if time.monotonic() - begun >= self._most_seconds:
            raise TimeoutError
        return _merged([Span(each.start, each.end, each.entity_type) for each in found])


def _merged(spans: list[Span]) -> list[Span]:
    """What overlaps or touches becomes one, named after the longest."""
    merged: list[Span] = []
    longest = 0
    for span in sorted(spans):
        length = span.end - span.start
        if not merged or span.start > merged[-1].end:
            merged.append(span)
            longest = length
            continue
        last = merged[-1]
        merged[-1] = Span(last.start, max(last.end, span.end), span.kind if length > longest else last.kind)
        longest = max(longest, length)
    return merged


def _language_model() -> str:
    from spacy.util import get_installed_models

    return min((name for name in get_installed_models() if name.startswith(f"{_LANGUAGE}_")), default="")


def _seconds_of_a_pattern() -> float:
    from presidio_analyzer.pattern_recognizer import REGEX_TIMEOUT_SECONDS

    return float(REGEX_TIMEOUT_SECONDS)


def _new_analyzer(language_model: str) -> Any:
    from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NoOpNlpEngine, SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        IpRecognizer,
        PhoneRecognizer,
        SpacyRecognizer,
        UsSsnRecognizer,
    )

    class AnyCaseIban(IbanRecognizer):
        """People write them in small letters, too."""

        def validate_result(self, pattern_text: str) -> bool:
            return bool(super().validate_result(pattern_text.upper()))

    address = PatternRecognizer(
        "ADDRESS",
        patterns=[Pattern(name, pattern, _ADDRESS_SCORE) for name, pattern in PATTERNS.items()],
        global_regex_flags=re.MULTILINE,
    )
    # The same pattern, without the list of domains that Presidio's own validation fetches. What stands before the @ has
    # at most 64 characters (RFC 5321, 4.5.3.1.1); without a bound, the pattern takes cubic time.
    emails = [Pattern(each.name, each.regex.replace("{0,}", "{0,62}"), each.score) for each in EmailRecognizer.PATTERNS]
    email = PatternRecognizer("EMAIL_ADDRESS", patterns=emails)
    iban = AnyCaseIban(regex_flags=re.IGNORECASE)
    cards = [Pattern(name, pattern, _CARD_SCORE) for name, pattern in CARD_PATTERNS.items()]
    card = CreditCardRecognizer(
        patterns=[*CreditCardRecognizer.PATTERNS, *cards], replacement_pairs=[(each, "") for each in SEPARATORS]
    )
    recognizers = [address, email, iban, card, IpRecognizer(), PhoneRecognizer(), UsSsnRecognizer()]
    models = [{"lang_code": _LANGUAGE, "model_name": language_model}]
    if language_model:
        recognizers.append(SpacyRecognizer(supported_entities=[_NAMES]))
    engine = SpacyNlpEngine(models=models) if language_model else NoOpNlpEngine(models=models)
    engine.load()
    registry = RecognizerRegistry(recognizers=recognizers)
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[_LANGUAGE])
