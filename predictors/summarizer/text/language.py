"""Which language a document is in: by its script, else by its most frequent small words.

A document's language decides whether its clauses are explained, or only quoted. So English must not be mistaken, and
which of the other languages it is matters less.
"""

# ruff: noqa: RUF001  # the lists hold letters of other alphabets

import re
from collections import Counter
from collections.abc import Iterator

from predictors.summarizer.text.word_lists import word_set

_SCRIPTS = {
    "ja": re.compile(r"[\u3040-\u30ff]"),
    "zh": re.compile(r"[\u4e00-\u9fff]"),
    "ko": re.compile(r"[\uac00-\ud7a3]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
}
_SMALL_WORDS = {
    "en": word_set(
        "the of and to in you your we our is are be not or any this that for with if may will by on shall a an it as "
        "at from no can must have has all each"
    ),
    "de": word_set(
        "der die das und den von zu mit sie wir ist nicht auf für eine ein im dem des werden oder wird bei ihr"
    ),
    "fr": word_set(
        "le la les des et du une un vous nous est pas pour dans que qui sur votre vos par au aux ou ce avec"
    ),
    "es": word_set("el la los las de del y en que un una usted se por para con no su sus al es o lo como si"),
    "it": word_set("il lo la gli le di del della e che un una per con non si nel alla dei sono è o al i da"),
    "pt": word_set("o a os as de do da dos das e em que um uma para com não se por no na ao seu sua ou você"),
    "nl": word_set("de het een en van in is dat op te voor met niet u wij zijn aan of uw door bij als worden"),
    "sv": word_set("och att det som en på är av för med till den har inte om ett du vi eller kan din vår från ska"),
    "da": word_set("og at det som en på er af for med til den har ikke om et du vi eller kan din vores fra skal"),
    "no": word_set("og at det som en på er av for med til den har ikke om et du vi eller kan din vår fra skal"),
    "fi": word_set("ja on ei se että tai ovat sekä voi joka kun jos sen mukaan myös ole tämän sinun"),
    "pl": word_set("i w z na do nie się jest o że lub dla przez oraz od to po za jak przy być tym są"),
    "cs": word_set("a v se na je že s z do o k pro nebo jako za by ve od po při jsou být"),
    "tr": word_set("ve bir bu için ile da de olarak veya olan en daha gibi kadar sonra ise tarafından"),
    "ro": word_set("și de la în a cu pe care nu este din o un sau pentru să se prin dacă sunt"),
}
_WORD = re.compile(r"[^\W\d_]+")
_SAMPLE_CHARS = 3000
_SAMPLES = 8
_FOREIGN_SHARE = 0.3  # share of the letters in another script
_FEWEST_WORDS = 8  # fewer words do not tell a language
_NEARLY = 0.8  # English is meant if it fits about as well as the best
_FEWEST_SMALL = 0.12  # share of the words that are small words of the language


def language(text: str) -> str:
    """The language of a document as a code of ISO 639-1; "" if it cannot be told, as in a short text.

    Args:
        text: the document. Parts of it are looked at, from its beginning to its end.
    """
    sample = "\n".join(_samples(text))
    letters = sum(map(str.isalpha, sample))
    for code, pattern in _SCRIPTS.items():
        if len(pattern.findall(sample)) > _FOREIGN_SHARE * letters:
            return code
    words = Counter(_WORD.findall(sample.lower()))
    total = words.total()
    shares = {code: sum(words[word] for word in small) / max(total, 1) for code, small in _SMALL_WORDS.items()}
    best = max(shares, key=lambda code: shares[code])
    if shares["en"] >= _NEARLY * shares[best]:
        best = "en"
    return best if total >= _FEWEST_WORDS and shares[best] >= _FEWEST_SMALL else ""


def _samples(text: str) -> Iterator[str]:
    """The whole of a short text; of a long one, pieces at equal distances."""
    step = max(_SAMPLE_CHARS, len(text) // _SAMPLES)
    for start in range(0, len(text), step):
        yield text[start : start + _SAMPLE_CHARS]
