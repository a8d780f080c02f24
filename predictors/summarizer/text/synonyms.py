"""Terms: what words count as when texts are compared."""

from functools import lru_cache

from predictors.summarizer.text.stems import stem
from predictors.summarizer.text.words import content_stem

_REMEMBERED_WORDS = 50_000

# Words for the two parties to a contract, each with its side: "we" or "you".
PARTIES = {
    form: party
    for party, words in (
        ("we", "we us our company provider landlord carrier supplier vendor merchant operator seller insurer lender"),
        ("you", "you your customer user member subscriber tenant renter hirer guest passenger consumer buyer client"),
    )
    for word in words.split()
    for form in (word, word + "s")
}
# Words that plain English uses for one another.
_SYNONYMS = """
    allow permit permission; ask request; begin start commence; breach break broken violate; buy bought purchase; cancel
    terminate end ended ending close; cap limit maximum; change modify amend update revise alter vary adjust; child
    children minor kid underage; collect gather obtain; content material upload post; court lawsuit sue sued litigate;
    damage harm loss losses; data information details info; defect fault faulty; delete erase erasure remove destroy;
    discretion decide decision choose; dispute claim disagreement; email mail; give gave given share disclose provide
    pass supply; goods item product; government authorities; home flat apartment premises property; increase raise rise;
    insurance insure cover coverage; keep kept retain retention store hold held; late overdue; law legislation statute
    legal lawful; liable responsible; license licence; location gps; luggage baggage bag; marketing advertiser ad ads;
    neighbour neighbor; notice notify notification inform tell told warn; pay paid charge fee price cost bill debit
    invoice owe; penalty fine; reduce decrease lower; refund reimburse repay; register sign join enrol enroll; renew
    extend extension; rent rental hire lease; repair fix; sell sold sale resell; service platform website site app;
    subscription subscribe membership plan; suspend suspension block; trip journey travel; use used using usage; vehicle
    car; warranty guarantee"""
_CLASSES = {
    form: words.split()[0] for words in _SYNONYMS.split(";") for word in words.split() for form in (stem(word), word)
}


@lru_cache(maxsize=_REMEMBERED_WORDS)
def term_of(word: str) -> str:
    """The term that a word counts as.

    Args:
        word: from `tokens`.

    Returns:
        "we" or "you" for a party, else the first of its synonyms, else its stem; empty for a stop word or punctuation.
    """
    return PARTIES.get(word) or _CLASSES.get(word) or _CLASSES.get(content_stem(word), content_stem(word))
