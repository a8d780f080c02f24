"""Who the parties of a contract are: names of the company that wrote it, and whether "I" is the customer."""

# ruff: noqa: RUF001  # the patterns hold typographic marks

import re
from collections import Counter

from predictors.summarizer.text.synonyms import PARTIES
from predictors.summarizer.text.word_lists import word_set

_ACTS = r"(?:may|will|shall|can|must|does|has|reserves|keeps|accepts|undertakes|agrees|charges|provides|is not|cannot)"
_NAME = re.compile(rf"\b(?:(?:[Tt]he|THE)\s)?([A-Z][\w’'-]{{1,20}})\s{_ACTS}\b")
_NO_NAMES = word_set(
    """it this that these those they he she we you which who what where when there if all any each no nothing nobody
    one some such parties party both either neither terms refunds tickets places claims complaints payment payments
    delivery notice disputes content data information children pets everyone anyone card cards service services app
    vehicle course courses lock account accounts product products policy agreement contract device devices subscription
    fee fees charges website site platform goods software membership deposit order orders ticket tickets balance wallet
    equipment plan flat property premises appliance loan booking room machine system program programme warranty cover
    insurance sample samples schedule section clause part annex arbitrator court law use access"""
)
_FEWEST, _MOST = 3, 3
# A form that the customer speaks in: "I promise to pay". A lone "I" may be a numeral.
_I = re.compile(
    r"\bI (?:am|may|will|must|shall|have|had|do|did|can|cannot|agree|promise|understand|consent|authori[sz]e|waive|owe"
    r"|pay|give|receive|accept|certify|fail|lose)\b",
    re.IGNORECASE,
)
_WE = re.compile(r"\bwe (?:may|will|must|shall|have|do|can|cannot|are)\b", re.IGNORECASE)
_FEWEST_I = 5
_PERSON = re.compile(r"\b(?:i am|i|me|my|mine|myself|you|your|yours)\b", re.IGNORECASE)
_OTHER = {
    "i am": "you are", "i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself",
    "you": "we", "your": "our", "yours": "ours",
}  # fmt: skip


def company_names(text: str) -> frozenset[str]:
    """Words in lower case that act like a company: "Waymark may …", "the School shall …".

    Args:
        text: the start of a contract.
    """
    counted = Counter(name.lower() for name in _NAME.findall(text))
    names = [name for name, count in counted.most_common() if count >= _FEWEST and name not in _NO_NAMES]
    return frozenset(name for name in names if PARTIES.get(name) is None and not _is_customer(name)).intersection(
        names[:_MOST]
    )


_CUSTOMERS = word_set(
    """tenant member customer renter hirer subscriber user cardholder holder passenger guest student buyer lessee
    borrower client policyholder resident player licensee owner participant visitor bidder driver patient donor
    traveller purchaser"""
)


def _is_customer(name: str) -> bool:
    return name.removesuffix("s") in _CUSTOMERS


def customer_speaks(text: str) -> bool:
    """Whether a contract is written as the customer's own words, so that "you" is the company.

    Args:
        text: the start of a contract.
    """
    return len(_I.findall(text)) >= max(_FEWEST_I, len(_WE.findall(text)) + 1)


def addressed(text: str) -> str:
    """What a customer says in such a contract, said to the customer: "I owe you" → "you owe we", for patterns to read.

    Args:
        text: words of the contract.
    """
    return _PERSON.sub(lambda found: _OTHER[found.group().lower()], text)
