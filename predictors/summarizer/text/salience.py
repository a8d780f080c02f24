"""Which sentences of a contract matter most to a consumer, and which of them fit a token budget.

Each category of what a consumer must learn has a lexicon of phrases, written as plain words and matched by stems, so
that "cancel" finds "cancelled". A phrase is looked up by its first word, which takes the same time however large the
lexicon is. Parties are matched by their part: "the tenant must" and "you must" are one phrase.
"""

import calendar
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from predictors.summarizer.text.words import PARTIES, content_words, quantities, stem, tokens

# Each further category of one sentence counts for this much of the one before: a long sentence mentions everything.
_DECAY = 0.5
# A heading speaks for the sentences below it, but says less than their own words.
_HEADING = 0.5
# Points for an amount of money, a percentage, a length of time, a date.
_MONEY, _PERCENT, _TIME, _DATE = 1.2, 0.8, 0.8, 0.4
_SHORT_WORDS, _SHORT_FACTOR = 5, 0.3
_LONG_WORDS, _LONG_COMMAS, _LONG_FACTOR = 90, 12, 0.6
# A sentence's value is divided by its cost to this power: at 0 the long ones win, at 1 the short ones.
_COST_POWER = 0.5

# What a consumer must learn: (category, points, phrases). A sentence gets the most that one phrase of a category gives.
_CATEGORIES = (
    ("collected", 2.0, """we collect; collect information; collect data; track you; your location; precise location;
        biometric; browsing history; contact list; health data; record your; facial recognition; monitor your"""),
    ("collected", 1.0, """collect; track; cookie; personal data; personal information; camera; microphone; recording;
        profile; surveillance; telematics"""),
    ("shared", 2.0, """share your; share with; sell your; sell data; disclose your; transfer your; pass your; third
        party; advertiser; advertising partner; law enforcement; data broker; credit reference; affiliate"""),
    ("shared", 1.0, "disclose; share; partner; outside the country; sell; sold; publish; visible to"),
    ("charged", 2.0, """fee; surcharge; charge you; charged; payable; pay; price; excess; deductible; overdraft;
        additional cost; rent; premium; each instalment; overdue; tax"""),
    ("charged", 1.0, """charge; cost; bill; interest; invoice; rate; purchase; paid; due; owe; debit; credit card;
        tariff"""),
    ("deposit", 2.0, "deposit; pre authorisation; hold on your card"),
    ("deposit", 1.0, "deduct; withhold; advance"),
    ("penalty", 2.0, "penalty; fine; liquidated damage; forfeit; repossess; debt collection; clamp; tow; default"),
    ("penalty", 1.0, "breach; violate; replacement cost"),
    ("renewed", 2.0, """renew; auto renew; minimum term; free trial; roll over; recurring; initial term; fixed term;
        convert to"""),
    ("renewed", 1.0, "subscription; trial; contract period; commitment; extend; expire; continue until"),
    ("ended", 2.0, """cancel; cancellation; terminate; notice period; withdraw; cooling off; suspend your; close
        your; evict; end this; end the; you may end; you can end; break clause"""),
    ("ended", 1.0, "suspend; end; leave; disconnect; notice to; close; stop; vacate; revoke; remove your"),
    ("refund", 2.0, "refund; nonrefundable; money back; reimburse; credit note; compensation; return the goods"),
    ("refund", 1.0, "return; exchange; voucher; credit; repay; compensate"),
    ("waived", 2.0, """liable; liability; waive; class action; disclaim; as is; as available; no warranty; indemnify;
        indemnity; hold harmless; own risk; not responsible; release us; consequential"""),
    ("waived", 1.0, "warranty; guarantee; responsible; damage; injury; loss; negligence; error free"),
    ("licensed", 2.0, """licence to; license to; royalty free; perpetual; sublicense; sublicensable; moral right;
        your content; content you"""),
    ("licensed", 1.0, "licence; license; intellectual property; ownership; irrevocable; worldwide; likeness"),
    ("arbitrated", 2.0, """arbitration; arbitrator; jury; small claim; governing law; governed by; jurisdiction;
        dispute; ombudsman"""),
    ("arbitrated", 1.0, "court; mediation; legal action; claim against; complaint; statute of limitation"),
    ("changed", 2.0, """change the price; change our price; change these; change this; change the term; modify these;
        amend these; update these; we may change; we may modify; we may increase; we may amend; we may vary; we may
        alter; right to change; right to modify; right to amend; continued use; price increase; rent increase;
        substitute"""),
    ("changed", 1.0, "change; modify; amend; vary; increase; discontinue; revise; adjust; reschedule"),
    ("duties", 2.0, """you must; you shall; you will; you agree; you may not; you must not; you shall not; you
        undertake; you are responsible; you are required; your responsibility; prohibited; not permitted; not
        allowed; forbidden"""),
    ("duties", 1.0, """must; must not; may not; required; obligation; comply; deadline; no later; report; maintain;
        failure to; fail to; consent"""),
    ("excluded", 2.0, """exclusion; excluded; not covered; not cover; pre existing; not include; not insured; will
        not pay; maximum benefit; wear and tear; void; claims must; unattended"""),
    ("excluded", 1.0, "cover; exception; claim; limit; except; invalid; not apply"),
    ("kept", 2.0, "retain; retention; delete; deletion; erase; erasure; right to access; opt out; object to"),
    ("kept", 1.0, "keep; store; backup; anonymise; archive; export"),
    ("minors", 2.0, "under 13; under 16; under 18; 18 year; minor; parental; year of age; age of; minimum age"),
    ("minors", 1.0, "child; children; parent; guardian; age; young"),
    # Words that make a clause harsher, or strange enough to be told.
    ("force", 1.0, """sole discretion; absolute discretion; without notice; without prior notice; without refund;
        without liability; without consent; without compensation; without reason; for any reason; at any time;
        automatic; nonrefundable; non refundable; no refund; no obligation; not entitled; forfeit; lose; irrevocable;
        immediate; unlimited"""),
    ("force", 0.5, """must; may not; shall not; cannot; never; required; only if; unless; even if; in full; up to; at
        least; no more; maximum; minimum; reserve the right; in advance; in writing; additional; each time"""),
    # What a consumer can do without: definitions, boilerplate, addresses, greetings, who the company is.
    ("dull", 3.0, """if any provision; remaining provision; counterpart; entire agreement; headings are; headings in;
        for convenience; interpretation; construed; supersede; words in the; include the plural; table of content;
        last updated; welcome to; thank you for; registered office; registered number; company number; our mission;
        our history; our team; award winning; proud; no waiver; failure to enforce; capitalised; capitalized;
        recital; whereas; hereinafter"""),
    ("dull", 1.5, """mean a; mean any; mean the; the meaning; refer to; reference to; defined; definition; postal
        address; address of; office hour; incorporated in; please read; these term apply; visit our; or
        unenforceable; copyright; all right reserved; trademark"""),
    ("dull", 0.5, "telephone; customer service; contact us; this section; for more information"),
)  # fmt: skip
_MONTHS = frozenset(stem(name.lower()) for name in calendar.month_name if name)


def salience(sentences: Sequence[str], sections: Sequence[str]) -> list[float]:
    """How much each sentence matters to a consumer.

    A sentence gets points for the categories it belongs to, for words of force ("automatically", "at our sole
    discretion") and for amounts, percentages, lengths of time and dates; some for its heading; and loses points for
    being a definition, boilerplate, an address or a greeting. Fragments and very long enumerations keep a part.

    Args:
        sentences: of a document, in order.
        sections: the heading above each, empty if there is none; as many as there are sentences.

    Returns:
        A score for each, 0 or more and about 10 at the most. It ranks sentences of one document; it is no probability.
    """
    headings = {section: _points(_pieces(tokens(section))) for section in set(sections)}
    return [
        _score(sentence, headings[section] * _HEADING) for sentence, section in zip(sentences, sections, strict=True)
    ]


def select(scores: Sequence[float], counts: Sequence[int], sentences: Sequence[str], budget: int) -> list[int]:
    """Choose the sentences worth reading within a budget.

    Greedy: again and again the sentence with the best value that still fits, where ``value = score * (1 - r ** 2) /
    sqrt(count)`` and ``r`` is the largest share of its content words that one chosen sentence has. This is maximal
    marginal relevance (Carbonell & Goldstein, "The use of MMR, diversity-based reranking for reordering documents and
    producing summaries", SIGIR 1998), with a product for their difference, because scores have no fixed scale; and
    squared, because sharing a few words is no fault. The root of the cost is from Lin & Bilmes, "Multi-document
    summarization via budgeted maximization of submodular functions", NAACL 2010.

    Args:
        scores: of the sentences, 0 or more.
        counts: tokens of each.
        sentences: the texts.
        budget: most tokens together.

    Returns:
        Indices in the order of the document; empty only if no sentence fits.
    """
    if sum(counts) <= budget:
        return list(range(len(counts)))
    words = [set(content_words(sentence)) for sentence in sentences]
    places = defaultdict(list)
    for place, own in enumerate(words):
        for word in own:
            places[word].append(place)
    holders = {word: np.array(found) for word, found in places.items()}
    size = np.array([max(len(own), 1) for own in words])
    cost = np.array(counts)
    worth = np.array(scores) / np.maximum(cost, 1) ** _COST_POWER
    repeated = np.zeros(len(words))
    chosen: list[int] = []
    is_open = cost <= budget
    while is_open.any():
        best = int(np.argmax(np.where(is_open, worth * (1 - repeated**2), -1.0)))
        chosen.append(best)
        budget -= counts[best]
        is_open &= cost <= budget
        is_open[best] = False
        if words[best]:
            shared = np.bincount(np.concatenate([holders[word] for word in words[best]]), minlength=len(words))
            np.maximum(repeated, shared / size, out=repeated)
    return sorted(chosen)


def _score(sentence: str, heading: float) -> float:
    words = tokens(sentence)
    pieces = _pieces(words)
    points = heading + _points(pieces) + _numbers(words, pieces)
    length = sum(1 for word in words if word[0].isalnum())
    if length < _SHORT_WORDS:
        points *= _SHORT_FACTOR
    elif length > _LONG_WORDS or words.count(",") > _LONG_COMMAS:
        points *= _LONG_FACTOR
    return max(points, 0.0)


def _pieces(words: Sequence[str]) -> list[str]:
    """What phrases are made of: "we" and "you" for the parties, stems of words, and numbers and signs as they are.

    "Your" stays apart from "you", so that "your agreement" is not "you agree".
    """
    return [
        word if word in ("our", "your") or not word[0].isalpha() else PARTIES.get(word) or stem(word) for word in words
    ]


def _points(pieces: list[str]) -> float:
    """Points for categories and force, less those for dullness."""
    best: dict[str, float] = {}
    for place, piece in enumerate(pieces):
        for phrase, group, weight in _LEXICON.get(piece, ()):
            if weight > best.get(group, 0.0) and pieces[place : place + len(phrase)] == phrase:
                best[group] = weight
    dull, force = best.pop("dull", 0.0), best.pop("force", 0.0)
    ranked = sorted(best.values(), reverse=True)
    return force - dull + sum(weight * _DECAY**rank for rank, weight in enumerate(ranked))


def _numbers(words: Sequence[str], pieces: Sequence[str]) -> float:
    """Points for amounts, percentages, lengths of time and dates."""
    found = quantities(words)
    units = {quantity.unit for quantity in found.values() if quantity.number}
    dated = any(not _MONTHS.isdisjoint(pieces[max(place - 1, 0) : place + 2]) for place in found)
    money = bool(units - {"", "%", "th", "minutes", "months"})
    timed = not units.isdisjoint(("minutes", "months"))
    return _MONEY * money + _PERCENT * ("%" in units) + _TIME * timed + _DATE * dated


# The first word of a phrase → the phrases, each with its category and its points.
_LEXICON: dict[str, list[tuple[list[str], str, float]]] = {}
for _group, _weight, _listed in _CATEGORIES:
    for _phrase in _listed.split(";"):
        _entry = _pieces(tokens(_phrase))
        _LEXICON.setdefault(_entry[0], []).append((_entry, _group, _weight))
