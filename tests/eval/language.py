"""English as the judge reads it: tokens in which what decides (modals, negations, conditions) has one spelling each.

What decides becomes a word in capitals: MAY, MUST, FORBID ("may not"), NEEDNOT ("is not required to"), NOT, and the
conditions of `CONDITIONS`. A number is a number in digits. WE and YOU are the two sides of a contract, OURS and YOURS what is theirs.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from tests.eval.numerals import LABEL, ORDINALS, SCALES, SMALL, number_at


def word_set(listed: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(listed.split())


CONDITIONS = word_set("IF UNLESS UNTIL BEFORE AFTER WITHIN ONLY BECAUSE ATLEAST ATMOST")
MODALS = word_set("MAY MUST FORBID NEEDNOT")
NEGATIONS = word_set("NOT FORBID NEEDNOT")
PARTIES = word_set("WE YOU")
ENDS = frozenset(".!?;")

_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200d\u2060\ufeff]")
_HYPHENATED = re.compile(r"(?<=[a-z])-\n\s*(?=[a-z])")
_MONTH = re.compile(r"\b(?:May)\b(?=,? \d)|(?<=\d )May\b|(?<=\bin )May\b")
# In this order: an earlier one may be part of a later one.
_PHRASES = tuple(
    (re.compile(rf"(?<![\w'])(?:{pattern})(?![\w'])"), f" {word} ")
    for pattern, word in (
        (r"whether or not|regardless of whether|from time to time|for the avoidance of doubt|per cent", " "),
        (r"(?:including )?(?:without limitation|but not limited to)|not only|no matter|no longer than necessary", " "),
        (r"the following", "these"),
        (r"(?:a |one )?fortnight", "2 weeks"),
        (r"third(?= part(?:y|ies))", "outside"),
        (r"(?:shall|will|does|do|may|must|can)? ?not (?:exceed|be more than)|not exceeding", "ATMOST"),
        (r"gives? up|giving up|given up", "forfeit"),
        (r"(?:are|is|be)? ?excluded(?: from (?:the )?cover)?|excludes?|fails? to cover", "NOT cover"),
        (r"fail(?:s|ed|ure)? to", "NOT"),
        (r"(?:not|no) later than|(?:not|no) more than (?=\w+ (?:days?|hours?|weeks?|months?) after)", "WITHIN"),
        (r"(?:not|no) (?:less|fewer) than|at least|at minimum|or more|a minimum of|minimum", "ATLEAST"),
        (r"(?:not|no) (?:more|greater|longer) than|up to|at most|a maximum of|maximum|capped at|limited to", "ATMOST"),
        (r"(?:do|does|did|need|are|is|be|shall|will) (?:not|n't) (?:have|need|required|obliged|obligated)(?: to)?", "NEEDNOT"),
        (r"(?:don't|doesn't|needn't|isn't|aren't) (?:have|need|required|obliged)(?: to)?|needn't|need not", "NEEDNOT"),
        (r"(?:under )?no (?:obligation|duty|need)(?: to)?|(?:without|not) (?:being )?(?:obliged|required)(?: to)?", "NEEDNOT"),
        (r"(?:may|must|shall|can|could|should) not|cannot|can't|mustn't|shan't|unable to", "FORBID"),
        (r"(?:may|can|could) (?:only|solely)", "ONLY MAY"),
        (r"(?:is|are|be|was|were)? ?(?:not|n't) (?:\w+ly )?(?:allowed|permitted|entitled|eligible|authori[sz]ed)(?: to)?", "FORBID"),
        (r"(?:isn't|aren't) (?:allowed|permitted|entitled|eligible)(?: to)?", "FORBID"),
        (r"(?:is|are|be)? ?(?:strictly )?(?:prohibited|forbidden|banned|barred)(?: from)?", "FORBID"),
        (r"(?:is|are|be)? ?(?:required|obliged|obligated|bound) to|must|shall|ha(?:s|ve) to|needs? to|ought to|should", "MUST"),
        (r"(?:is|are|be)? ?(?:allowed|permitted|entitled|eligible|authori[sz]ed|free|able) to", "MAY"),
        (r"reserves? the right to|ha(?:s|ve) the right to|right to|may|can|could|might", "MAY"),
        (r"won't|will not|would not|do not|does not|did not|don't|doesn't|didn't|isn't|aren't|wasn't|weren't", "NOT"),
        (r"will|would|hereby|thereof", " "),
        (r"no one|nobody|not|never|none|nor|neither|nothing|without|no|non", "NOT"),
        (r"unless|except(?:ing)?(?: for| that| where| when| if)?|excluding|other than|apart from|save(?: where| that)", "UNLESS"),
        (r"(?:not )?until|till", "UNTIL"),
        (r"(?:only|solely|exclusively|just)(?: if| when| where)?", "ONLY"),
        (r"provided(?: that)?|as long as|so long as|in the event (?:that|of)|in case(?: of)?|on condition that", "IF"),
        (r"(?:even )?(?:if|when|whenever|where|wherever|once|while)", "IF"),
        (r"prior to|ahead of|before|in advance of|beforehand|earlier than", "BEFORE"),
        (r"after|following|since|later than|as of|upon|on receipt of|from the date", "AFTER"),
        (r"within|in the course of|during", "WITHIN"),
        (r"because(?: of)?|due to|on account of|for reasons? of|as a result of|owing to", "BECAUSE"),
    )
)  # fmt: skip
_PARTY_WORDS = {
    form: side
    for side, words in (
        ("WE", "we us ourselves company provider landlord carrier supplier vendor seller lender lessor insurer"),
        ("OURS", "our ours"),
        ("YOURS", "your yours"),
        ("YOU", "you yourself customer tenant consumer subscriber renter hirer passenger policyholder lessee"),
    )
    for word in words.split()
    for form in (word, word + "s")
}
# "the landlord's" is like "our".
_OWNERS = {"WE": "OURS", "YOU": "YOURS"}
_TOKEN = re.compile(r"[A-Z]{2,}|\d+(?:,\d{3})*(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)?|[$€£%.,;:!?()]")
_CONTRACTED = re.compile(r"n't$|'.*")
_LEAST_STEM = 3
_ENDINGS = word_set(
    "ations ation ating ated ates ate ements ement ments ment ities ity ings ing ions ion als al ers er ors or ies ied "
    "ed es s ly"
)


def normal(text: str) -> str:
    """A text on one line, without invisible characters and with straight quotation marks."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = _HYPHENATED.sub("", text).replace("’", "'").replace("‘", "'")
    return " ".join(text.split())


def is_deciding(token: str) -> bool:
    """Whether a token is a condition, a modal or a negation."""
    return token in CONDITIONS or token in MODALS or token in NEGATIONS


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """The tokens of a text; see the module."""
    text = LABEL.sub(" ", normal(text))
    text = _MONTH.sub("fifthmonth", text)
    text = re.sub(r"\bUS(?=\s?\$)|\bEUR\b(?= ?\d)", lambda match: "€" if match[0] == "EUR" else "", text).lower()
    text = re.sub(r"(?<=\w)-(?=\w)|[/–—]", " ", text)
    for pattern, word in _PHRASES:
        text = pattern.sub(word, text)
    return tuple(_joined(_numbers([_word(found) for found in _TOKEN.findall(text)])))


def _word(found: str) -> str:
    if found.isupper() or not found[0].isalpha():
        return found
    word = _CONTRACTED.sub("", found)
    word = ORDINALS.get(word, word)
    party = _PARTY_WORDS.get(word, word)
    return _OWNERS.get(party, party) if found.endswith("'s") else party


def _numbers(words: Sequence[str]) -> list[str]:
    """Words with each number in digits; "thirty (30)" is one."""
    lower = [word.lower() for word in words] + [""]
    found: list[str] = []
    place = 0
    while place < len(words):
        is_number = words[place][0].isdigit() or words[place] in SMALL or words[place] in SCALES
        value, end = number_at(lower, place) if is_number else (0.0, place)
        if end == place:
            found.append(words[place])
            place += 1
            continue
        found.append(f"{value:g}")
        place = end
        if words[place : place + 1] == ["("] and words[place + 2 : place + 3] == [")"]:
            again, after = number_at(lower, place + 1)
            place = place + 3 if again == value and after == place + 2 else place
    return found


def _joined(words: Sequence[str]) -> list[str]:
    """Words where "nobody may" is FORBID, "in 14 days" is WITHIN, and a doubled condition is one."""
    found: list[str] = []
    for word, following in zip(words, (*words[1:], ""), strict=False):
        if word == "in" and following[:1].isdigit():
            found.append("WITHIN")
        elif word == "MAY" and "NOT" in found[-2:] and found[-1] not in ENDS:
            found.append("FORBID")
            del found[len(found) - 2 - found[-2::-1].index("NOT")]
        elif not (found and word == found[-1] and word in CONDITIONS):
            found.append(word)
    return found


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without its ending, so that "cancels", "cancelled" and "cancellation" are the same."""
    endings = [end for end in _ENDINGS if word.endswith(end) and len(word) - len(end) >= _LEAST_STEM]
    rest = word.removesuffix(max(endings, key=len, default=""))
    rest = rest.rstrip("eiy") if len(rest.rstrip("eiy")) > 1 else rest
    return rest[:-1] if len(rest) > _LEAST_STEM and rest[-1] == rest[-2] else rest
