"""Phrases that mark what a consumer must learn from a contract, by category.

Phrases are written as plain words and matched by stem, so that "cancel" matches "cancelled". Parties are matched by
side: "the tenant must" and "you must" are one phrase. Phrases are indexed by their first word, so the time for a lookup
does not depend on the size of the lexicon.
"""

from collections.abc import Sequence
from typing import NamedTuple

from predictors.summarizer.text.stems import stem
from predictors.summarizer.text.synonyms import PARTIES
from predictors.summarizer.text.words import tokens

FORCE, DULL = "force", "dull"
# (category, points, phrases). A sentence gets the points of its best phrase in each category.
_CATEGORIES = (
    ("collected", 2.0, """we collect; collect information; collect data; track you; your location; precise location;
        biometric; browsing history; contact list; health data; record your; facial recognition; monitor your;
        fingerprint; genetic; dna; artificial intelligence; machine learning; train our; private message; gps;
        satellite unit; telematics; tracker"""),
    ("collected", 1.0, """collect; track; cookie; personal data; personal information; camera; microphone; recording;
        profile; surveillance; sensor"""),
    ("shared", 2.0, """share your; share with; sell your; sell data; disclose your; transfer your; pass your; third
        party; advertiser; advertising partner; law enforcement; data broker; credit reference; affiliate;
        police; subpoena; handed to; passed to; your employer; for marketing;
        open your account; can see; against payment"""),
    ("shared", 1.0, "disclose; share; partner; outside the country; sell; sold; publish; visible to"),
    ("charged", 2.0, """fee; origination; hammer price; fall due; surcharge; charge you; charged; payable; pay; price;
        excess; deductible; overdraft; additional cost; rent; premium; each instalment; overdue; tax"""),
    ("charged", 1.0, """charge; cost; bill; interest; invoice; rate; purchase; paid; due; owe; debit; credit card;
        tariff"""),
    ("deposit", 2.0, "deposit; pre authorisation; hold on your card"),
    ("deposit", 1.0, "deduct; withhold; advance"),
    ("penalty", 2.0, """penalty; fine; no show; late return; garnish; liquidated damage; forfeit; repossess; debt
        collection; clamp; tow; default"""),
    ("penalty", 1.0, "breach; violate; replacement cost"),
    ("renewed", 2.0, """renew; auto renew; minimum term; free trial; roll over; recurring; initial term; fixed term;
        convert to"""),
    ("renewed", 1.0, "subscription; trial; contract period; commitment; extend; expire; continue until"),
    ("ended", 2.0, """cancel; cancellation; terminate; notice period; withdraw; cooling off; suspend your; close
        your; evict; end this; end the; you may end; you can end; break clause"""),
    ("ended", 1.0, "suspend; end; leave; disconnect; notice to; close; stop; vacate; revoke; remove your"),
    ("refund", 2.0, """refund; nonrefundable; money back; reimburse; credit note; compensation; return the goods;
        are final; is final"""),
    ("refund", 1.0, "return; exchange; voucher; credit; repay; compensate"),
    ("waived", 2.0, """liable; liability; waive; class action; disclaim; as is; as available; no warranty; indemnify;
        indemnity; hold harmless; own risk; not responsible; release us; consequential"""),
    ("waived", 2.0, """as it stands; bankruptcy; title pass; ownership pass"""),
    ("waived", 1.0, "warranty; guarantee; responsible; damage; injury; loss; negligence; error free"),
    ("licensed", 2.0, """licence to; license to; royalty free; perpetual; sublicense; sublicensable; moral right;
        your content; content you"""),
    ("licensed", 1.0, "licence; license; intellectual property; ownership; irrevocable; worldwide; likeness"),
    ("arbitrated", 2.0, """arbitration; arbitrator; jury; small claim; governing law; governed by; jurisdiction;
        dispute; ombudsman"""),
    ("arbitrated", 1.0, "court; mediation; legal action; claim against; complaint; statute of limitation"),
    ("changed", 2.0, """change the price; change our price; change these; change this; change the term; modify these;
        amend these; update these; we may change; we may modify; we may increase; we may raise; we may amend; we may
        vary; we may alter; right to change; right to modify; right to amend; continued use; price increase; rent
        increase; substitute"""),
    ("changed", 1.0, "change; modify; amend; vary; increase; discontinue; revise; adjust; reschedule"),
    ("duties", 2.0, """you must; you shall; you will; you agree; you may not; you must not; you shall not; you
        undertake; you are responsible; you are required; your responsibility; prohibited; not permitted; not
        allowed; forbidden; retract"""),
    ("duties", 1.0, """must; must not; may not; required; obligation; comply; deadline; no later; report; maintain;
        do not; instruction;
        failure to; fail to; consent"""),
    ("excluded", 2.0, """exclusion; excluded; fall away; not covered; not cover; pre existing; not include; not
        insured; will not pay; maximum benefit; wear and tear; void; claims must; unattended"""),
    ("excluded", 1.0, """cover; exception; claim; limit; except; invalid; not apply; die; death; disability; worthless;
        opinion"""),
    ("kept", 2.0, "retain; retention; delete; deletion; erase; erasure; right to access; opt out; object to"),
    ("kept", 1.0, "keep; store; backup; anonymise; archive; export"),
    ("minors", 2.0, "under 13; under 16; under 18; 18 year; minor; parental; year of age; age of; minimum age"),
    ("minors", 1.0, "child; children; parent; guardian; age; young"),
    # Words that make a clause harsher, or unusual enough to be mentioned.
    (FORCE, 1.0, """sole discretion; absolute discretion; without notice; without prior notice; without refund;
        without liability; without consent; without compensation; without reason; for any reason; at any time;
        automatic; nonrefundable; non refundable; no refund; are final; is final; no obligation; not entitled; forfeit;
        lose; irrevocable; immediate; unlimited"""),
    (FORCE, 0.5, """must; may not; shall not; cannot; never; required; only if; unless; even if; in full; up to; at
        least; no more; maximum; minimum; reserve the right; in advance; in writing; additional; each time"""),
    # What a consumer can skip: definitions, boilerplate, addresses, greetings, the company's history.
    (DULL, 3.0, """if any provision; remaining provision; cannot be enforced; not be enforced; counterpart;
        entire agreement; headings are; headings in;
        for convenience; interpretation; construed; supersede; words in the; include the plural; table of content;
        last updated; welcome to; is made between; form a contract between; thank you for; registered office;
        registered number; company number; our mission; our history; our team; award winning; proud; no waiver;
        failure to enforce; capitalised; capitalized;
        recital; whereas; hereinafter"""),
    (DULL, 1.5, """mean a; mean any; mean the; the meaning; refer to; reference to; defined; definition; postal
        address; address of; office hour; incorporated in; please read; these term apply; visit our; or
        unenforceable; copyright; all right reserved; trademark"""),
    (DULL, 0.5, "telephone; customer service; contact us; this section; for more information"),
)  # fmt: skip


class Phrase(NamedTuple):
    """A phrase of the lexicon.

    Args:
        pieces: what it consists of (see `pieces_of`).
        category: what it is about.
        points: what it is worth.
    """

    pieces: list[str]
    category: str
    points: float


def pieces_of(words: Sequence[str]) -> list[str]:
    """What phrases consist of: "we" and "you" for the parties, stems for words; numbers and signs are unchanged.

    "Your" remains distinct from "you", so that "your charge" is not "you charge".

    Args:
        words: from `tokens`.
    """
    return [
        word if word in ("our", "your") or not word[0].isalpha() else PARTIES.get(word) or stem(word) for word in words
    ]


def _by_first_piece() -> dict[str, list[Phrase]]:
    phrases: dict[str, list[Phrase]] = {}
    for category, points, listed in _CATEGORIES:
        for text in listed.split(";"):
            pieces = pieces_of(tokens(text))
            phrases.setdefault(pieces[0], []).append(Phrase(pieces, category, points))
    return phrases


# The first piece of phrases → the phrases.
LEXICON = _by_first_piece()
