"""The names by which a contract calls the company that wrote it."""

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
