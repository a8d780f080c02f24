"""Topics: what a consumer looks for in a contract."""

import re
from typing import NamedTuple

from predictors.summarizer.text.lexicon import DULL, FORCE, LEXICON, pieces_of
from predictors.summarizer.text.words import tokens


class Topic(NamedTuple):
    """What a point is about.

    Args:
        id: its name in answers.
        title: its name for people.
        gloss: a line that holds for every point about it.
    """

    id: str
    title: str
    gloss: str


# In the order of display.
TOPICS = {
    topic.id: topic
    for topic in (
        Topic("cost", "Cost and renewal", "About what you pay, and for how long."),
        Topic("cancelling", "Cancelling and refunds", "About getting out, and getting money back."),
        Topic("cover", "Cover and warranty", "About what is covered, and what is not."),
        Topic("data", "What they know of you", "About what is known of you, and what becomes of it."),
        Topic("sharing", "Whom they tell", "About who else gets to know."),
        Topic("content", "Your content", "About what you post or make, and what others make."),
        Topic("limits", "Limits and bans", "About what you may, must and may not do."),
        Topic("liability", "Liability", "About who answers for what goes wrong."),
        Topic("disputes", "Disputes", "About complaints, claims and courts."),
        Topic("changes", "Changes", "About what can change, and how you learn of it."),
        Topic("ending", "Ending", "About how it ends, and what happens then."),
        Topic("other", "Also worth knowing", "Also worth knowing."),
    )
}
_OF_CATEGORY = {
    "collected": "data", "kept": "data", "shared": "sharing", "charged": "cost", "deposit": "cost", "penalty": "cost",
    "renewed": "cost", "ended": "ending", "refund": "cancelling", "waived": "liability", "licensed": "content",
    "arbitrated": "disputes", "changed": "changes", "duties": "limits", "excluded": "cover", "minors": "limits",
}  # fmt: skip
# That something is paid, must be done or is covered is said of nearly everything.
_WEIGHTS = {"charged": 0.5, "duties": 0.6, "excluded": 0.8, "kept": 0.8, "licensed": 0.8}
# "Sell" and "share" are said of goods and costs too, and "due" and "fine" of more than money.
_NEEDED = {
    "sharing": re.compile(
        r"\b(?:data|information|details|names?|address(?:es)?|records?|numbers?|images?|identi\w+|profiles?|contacts?|"
        r"preferences|readings|recordings?|results?|answers|activity|locations?|samples?|personal|content|cookies|photos?|"
        r"videos?|messages?|calls?|search(?:es)?|orders?|habits|interests|histor(?:y|ies)|everything|documents?|"
        r"cop(?:y|ies)|public|visible|see|seen|tell|told|report\w*|about you)\b",
        re.IGNORECASE,
    ),
    "cost": re.compile(
        r"[$\u20ac\u00a3\u00a5%]|\b(?:usd|eur|gbp|euros?|dollars?|pounds?|pence|cents?|percent|"
        r"per cent|prices?|fees?|rates?|"
        r"rents?|premiums?|tariffs?|instal?lments?|pay\w*|paid|unpaid|repa(?:y|id)\w*|prepa\w+|money|costs?|bill\w*|"
        r"invoic\w+|deposits?|interest|tax(?:es)?|vat|duties|debts?|debit\w*|owe[sd]?|owing|sums?|amounts?|balances?|"
        r"credit\w*|charg(?:ed?|es|ing)|cards?|penalt(?:y|ies)|fines?|fares?|surcharges?|overdrafts?|overdue|arrears|"
        r"excess|deductibles?|deduct\w*|discounts?|vouchers?|points|coupons?|rewards?|free|trials?|renew\w*|subscri\w+|"
        r"plans?|(?:minimum|initial|fixed|contract) (?:term|period)|terms? of|expir\w+|extend\w*|roll\w*|recurring|"
        r"purchas\w+|buy\w*|bought|refund\w*|salar(?:y|ies)|wages?|funds?|loans?|expenses?|tips?|currenc(?:y|ies)|"
        r"commitment|forfeit\w*|advance|months?|years?)\b",
        re.IGNORECASE,
    ),
}


# A heading says what is below it, but less surely than the words do.
_HEADING = 0.6
# Fewer points than this are chance.
_LEAST = 1.2


def topic_of(text: str, section: str = "") -> Topic:
    """The topic that most phrases of the lexicon in a text belong to; of equals, the first in order of display.

    Args:
        text: the text.
        section: the heading above it.
    """
    points = _points(text)
    for topic, more in _points(section).items():
        points[topic] += _HEADING * more
    for topic, needed in _NEEDED.items():
        if not needed.search(f"{section}: {text}" if topic == "sharing" else text):
            points[topic] = 0.0
    best = max(points, key=points.__getitem__)
    return TOPICS[best if points[best] >= _LEAST else "other"]


def _points(text: str) -> dict[str, float]:
    pieces = pieces_of(tokens(text))
    points = dict.fromkeys(TOPICS, 0.0)
    for place, piece in enumerate(pieces):
        for phrase in LEXICON.get(piece, ()):
            known = phrase.category not in (FORCE, DULL)
            if known and pieces[place : place + len(phrase.pieces)] == phrase.pieces:
                points[_OF_CATEGORY[phrase.category]] += phrase.points * _WEIGHTS.get(phrase.category, 1.0)
    return points
