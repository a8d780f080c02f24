"""One form of a text for training and serving, whatever keyboard, copy and paste or messenger it came through.

What a reader does not see, or sees as the same, must not change an intent: a byte order mark, a variation selector
behind an emoji, a curly apostrophe, full-width letters, "sooooo" beside "sooo".
"""

import re
import unicodedata

# Default_Ignorable_Code_Point of Unicode 16 (DerivedCoreProperties.txt, assigned or not), the other format characters
# that are not seen (General_Category Cf without the Arabic, Syriac and Kaithi signs, which are printed), controls that
# are not white space, and the skin tones of emoji.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]+"
)
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "\u2800": " ",  # the blank Braille pattern, used as a space that is not trimmed
    }
)
# Pictographs stand alone, so that "great👍" has the word "great" in it.
_PICTOGRAPH = re.compile("[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
# Three or more of a letter, and two or more of a mark, mean the same however many they are.
_REPEATED = re.compile(r"([^\W\d_])\1{2,}|([^\w\s])\2+")


def normalize(text: str) -> str:
    """The text in Unicode's form NFKC, without what is not seen, with plain quotes, single spaces and short repeats.

    Doing it again changes nothing.

    Source: Unicode Standard Annex #15 (NFKC); UAX #44, section 5.3 (Default_Ignorable_Code_Point).
    """
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text).translate(_PLAIN)).translate(_PLAIN)
        text = _PICTOGRAPH.sub(r" \g<0> ", text)
    elif "`" in text:
        text = text.replace("`", "'")
    return " ".join(_REPEATED.sub(_twice, text).split())


def _twice(match: re.Match[str]) -> str:
    return (match[1] or match[2]) * 2
