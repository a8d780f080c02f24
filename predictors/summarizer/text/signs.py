"""What a sentence states, as a sequence of signs: parties, modals, negations, limits, numbers with units, and terms.

Two sentences with the same signs in the same order, part by part, say the same. Words of grammar have no sign.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from predictors.summarizer.text.quantities import CURRENCIES, FILLERS, TIMES, quantities
from predictors.summarizer.text.stems import stem
from predictors.summarizer.text.word_lists import word_set
from predictors.summarizer.text.words import content_stem, tokens

# Phrases that decide, by what they mean; a longer one counts before a shorter one that begins it.
_PHRASES = {
    "forbid": """may not|must not|shall not|can not|cannot|can't|mustn't|not allowed to|not permitted to|not entitled to
        not be allowed to|not be entitled to|not be permitted to|may in no case|may never|must never|prohibited from
        nobody may|no one may|forbidden to""",
    "needn't": """need not|needn't|not required to|not obliged to|not have to|don't have to|doesn't have to|not need to
        don't need to|doesn't need to|no obligation to|not be required to|not be obliged to|no need to|not bound to""",
    "may": """may|can|could|might|allowed to|permitted to|entitled to|free to|able to|have the right to
        has the right to|reserve the right to|reserves the right to|be allowed to|be entitled to|be able to""",
    "must": """must|shall|have to|has to|required to|obliged to|need to|needs to|ought to|should|agree to|agrees to
        undertake to|undertakes to|bound to""",
    "not": """not|no|never|without|none|nobody|no one|nothing|neither|nor|don't|doesn't|didn't|isn't|aren't|wasn't|won't
        weren't|hasn't|haven't|wouldn't|shouldn't|fail to|fails to|failed to|nowhere""",
    "only": "only|solely|exclusively|only if|only when",
    "at least": "at least|not less than|no less than|no fewer than|not fewer than|a minimum of|minimum of",
    "at most": """at most|up to|not more than|no more than|a maximum of|maximum of|not exceeding|not exceed
        no longer than""",
    "more": "more than|over|above|exceeding|in excess of|longer than|later than|greater than|older than",
    "less": "less than|under|below|fewer than|shorter than|earlier than|younger than",
    "some": "some|certain|several|few|many|most",
    "out": "out|off",
    "other": "other|another|others|else",
    "own": "own",
    "or": "or",
    "otherwise": "otherwise|instead|rather than",
    "both": "both|either",
    "even": "even if|even when|even though|even where|whether or not|regardless of|even",
    "if": """if|when|whenever|where|wherever|once|provided|provided that|as long as|so long as|in the event of
        in the event that|in case of|in case|on condition that|while""",
    "unless": "unless|except|except for|except if|except where|except when|excluding|other than|apart from|save for",
    "until": "until|till",
    "before": "before|prior to|ahead of|beforehand|in advance",
    "after": "after|following|since|from the date of",
    "within": "within|no later than|not later than|by no later than",
    "because": "because|because of|due to|on account of|as a result of|owing to|so that|in order to",
}
# These begin a part of the sentence.
CONDITIONS = word_set("if unless until before after within because even")
_BY_WORDS = {
    tuple(phrase.split()): kind
    for kind, phrases in _PHRASES.items()
    for phrase in phrases.replace("\n", "|").split("|")
    if phrase.strip()
}
_LONGEST = max(map(len, _BY_WORDS))
# Words for one another that have the same subject and object. "Charge" and "pay", "buy" and "sell" have not.
_SAME = """
    cancel terminate end expire; begin start commence; change modify amend alter vary; delete erase; keep retain
    store; buy purchase; tell inform notify; share disclose; give provide grant; get receive obtain; refund
    reimburse repay; repair fix; car vehicle; data information; renew extend; fee charge; use utilise; help assist;
    ask request; collect gather; show display; choose select; send transmit; licence license; enrol enroll;
    programme program; flat apartment; increase raise rise; reduce lower decrease; law legislation; money funds;
    about regarding concerning; immediately straightaway; monthly month; yearly annual annually annum year; daily
    day; weekly week; trip journey; near close; additional further extra; written writing; whole entire; kids
    children
"""
_CANONICAL = {
    form: words.split()[0] for words in _SAME.split(";") for word in words.split() for form in (word, stem(word))
}
_PRONOUNS = {
    form: sign
    for sign, forms in (("we", "we us ourselves"), ("you", "you yourself yourselves"), ("our", "our ours"),
                        ("your", "your yours"))
    for form in forms.split()
}  # fmt: skip
_COMPANY = word_set(
    "company provider landlord carrier supplier vendor merchant operator seller insurer lender lessor licensor"
)
_CUSTOMER = word_set(
    """customer user member subscriber tenant renter hirer guest passenger consumer buyer client borrower lessee
    licensee policyholder cardholder"""
)
# In front of a party, these tell who gives from who gets.
_DIRECTIONS = word_set("by to from for with against of on between")
# An adverbial that begins with one of these may stand at the beginning or at the end.
_ADVERBIAL = word_set("on in at with for during by from without about")
_BE = word_set("is are be been being was were am get gets")
_ENDS = frozenset(".!?;")


class Sign(NamedTuple):
    """One sign.

    Args:
        kind: ``party``, ``decides``, ``quantity``, ``term``, ``be`` (a form of that verb), ``direction`` (a preposition
            that an adverbial may begin with) or ``mark`` (punctuation).
        value: what it says; equal values say the same.
        word: as it was written.
    """

    kind: str
    value: object
    word: str


def signs(text: str, nouns: bool) -> list[Sign]:
    """The signs of one or a few sentences, in order.

    Args:
        text: the sentences.
        nouns: whether a noun for a party ("the tenant") counts as that party; otherwise it is a term.
    """
    words = [word.removesuffix("'s") for word in tokens(text)]
    amounts = quantities(words)
    found: list[Sign] = []
    place = 0
    while place < len(words):
        kind, length = _phrase(words, place)
        if place in amounts:
            _add_quantity(found, Sign("quantity", amounts[place][:2], words[place]), words[:place])
        elif kind:
            found.append(Sign("decides", kind, " ".join(words[place : place + length])))
        else:
            found += _sign(words, place, nouns)
        place += max(length, 1)
    return _without_repetitions(found)


def parties(text: str) -> set[str]:
    """The nouns for parties in a text, in the singular; as they are."""
    return {noun for word in tokens(text) if (noun := word.removesuffix("s")) in _COMPANY | _CUSTOMER}


def side(noun: str) -> str:
    """The party that a noun stands for: "we" or "you"."""
    return "we" if noun in _COMPANY else "you"


def _phrase(words: Sequence[str], place: int) -> tuple[str, int]:
    """What the longest known phrase at a place means, and how many words it has; empty and 0 if there is none."""
    for length in range(min(_LONGEST, len(words) - place), 0, -1):
        kind = _BY_WORDS.get(tuple(words[place : place + length]))
        if kind:
            return kind, length
    return "", 0


def _sign(words: Sequence[str], place: int, nouns: bool) -> Iterator[Sign]:
    word = words[place]
    noun = word.removesuffix("s")
    if word in _ENDS or word in ",:":
        yield Sign("mark", word, word)
    elif word in _PRONOUNS or (nouns and noun in _COMPANY | _CUSTOMER):
        party = _PRONOUNS.get(word) or side(noun)
        before = next((each for each in reversed(words[:place]) if each not in ("the", "a", "an")), "")
        yield Sign("party", (before if before in _DIRECTIONS else "", party), word)
    elif word in _BE:
        yield Sign("be", "be", word)
    elif word in _ADVERBIAL:
        yield Sign("direction", "direction", word)
    elif word not in TIMES and word not in CURRENCIES and word not in FILLERS and (found := content_stem(word)):
        yield Sign("term", _CANONICAL.get(word) or _CANONICAL.get(found, found), word)


def _add_quantity(found: list[Sign], quantity: Sign, before: Sequence[str]) -> None:
    """Add a number; in "a late charge of £5", it goes before "late charge", as in "a £5 late charge"."""
    near = [word for word in before[-12:] if word not in CURRENCIES]
    place = len(found)
    if near[-1:] == ["of"]:
        for word in reversed(near[:-1]):
            if not place or (found[place - 1].kind, found[place - 1].word) != ("term", word):
                break
            place -= 1
    found.insert(place, quantity)


def _without_repetitions(found: Sequence[Sign]) -> list[Sign]:
    """Signs without a number that is said twice, as in "thirty (30) days"."""
    return [
        sign
        for before, sign in zip([None, *found], found, strict=False)
        if before is None or sign.kind != "quantity" or sign.value != before.value
    ]
