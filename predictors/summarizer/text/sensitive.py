"""Words that decide what a clause says: without one of them, it may say something else."""

# ruff: noqa: RUF001  # the patterns hold typographic marks

import re

from predictors.summarizer.text.lexicon import DULL, LEXICON, pieces_of
from predictors.summarizer.text.words import tokens

_WORDS = """
    no not never none nor neither nothing nobody nowhere cannot without hardly rarely seldom fail fails failed failure
    if unless until except excepting excluding provided providing subject only solely exclusively when whenever where
    wherever while whilst whether depending depends otherwise regardless notwithstanding despite although though even
    also still instead rather but however save
    may might must shall will would can could should ought need needs able unable
    agree agrees agreed consent consents promise promises undertake undertakes warrant warrants guarantee guarantees
    required require requires obliged obligation obligations duty duties entitled right rights responsible
    responsibility liable liability permitted permission allowed prohibited forbidden banned mandatory compulsory
    optional voluntary free freely
    we us our ours ourselves you your yours yourself he him his she her they them their party parties person persons
    people anyone anybody everyone everybody someone somebody whoever child children adult adults
    partner partners affiliate affiliates advertiser advertisers vendor vendors supplier suppliers contractor
    contractors insurer insurers authority authorities police court courts government bank banks lender lenders
    employer employers agent agents
    half double twice once per percent each every all any both some several many few most more less least fewer
    greater higher lower longer shorter earlier later than maximum minimum limit limits limited unlimited
    minute minutes hour hours day days week weeks fortnight month months quarter year years daily weekly monthly yearly
    annual annually date dates deadline midnight noon today immediately promptly before after within during between
    because since therefore reason reasons due owing thus so purpose purposes
    automatic automatically always prevail prevails override overrides apply applies bind binds binding void valid
    invalid expire expires lapse lapses include includes included including exclude excludes gross net separate
    separately weekend weekends holiday holidays
"""
_DECISIVE = frozenset(_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SIGN = re.compile(r"[\d%$€£¥₹§]|n['’]t\b|\bha(?:s|ve|d|ving) to\b|\A(?:and|or) ")
# A capital letter after another word: the name of a party, a place or a defined term.
_NAME = re.compile(r"(?<=[\w,] )[A-ZÀ-Þ]|\A[A-ZÀ-Þ]")
_SPELLED = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{3,7}teen|twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty|ninety|hundreds?|thousands?|millions?|first|second|third|quarter|dozen)\b",
    re.IGNORECASE,
)


def decides(text: str) -> bool:
    """Whether a part of a clause has anything that the clause cannot go without. If in doubt, it has.

    That is a negation, a condition, an exception, a party, a name, a number, a unit, a deadline, a modal verb, a verb
    of duty or right, a reason, a comparison, or any phrase that marks what matters to a consumer (see `lexicon`).
    """
    if _SIGN.search(text) or _NAME.search(text) or _SPELLED.search(text):
        return True
    if not _DECISIVE.isdisjoint(map(str.lower, _WORD.findall(text))):
        return True
    return _matters(text)


def _matters(text: str) -> bool:
    pieces = pieces_of(tokens(text))
    return any(
        phrase.category != DULL and pieces[place : place + len(phrase.pieces)] == phrase.pieces
        for place, piece in enumerate(pieces)
        for phrase in LEXICON.get(piece, ())
    )
