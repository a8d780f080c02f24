"""Points that waste their reader's time: headings, pleasantries, boilerplate, repetitions, and those about nobody knows what."""

import re
from collections import Counter
from collections.abc import Sequence

from tests.eval.language import MODALS, PARTIES, normal, stem, tokens, word_set
from tests.eval.statements import is_content

_MOST_WORDS_OF_HEADING = 8
_SAME = 0.85
_PHRASE_WORDS, _MOST_PHRASES = 4, 2
_VERBS = word_set(
    """is are be was were has have had do does will would apply applies renew renews end ends pay pays keep keeps cost
    costs expire expires cover covers include includes start starts last lasts lose loses share shares use uses"""
)
_PLEASANT = re.compile(
    r"(?:welcome|thanks?\b|thank you|dear |hello|hi[ ,]|congratulations|enjoy|we (?:hope|are (?:happy|glad|delighted|pleased))"
    r"|we're (?:happy|glad|delighted)|please (?:take|read|be kind|note that this page)|we work hard)",
    re.IGNORECASE,
)
_BOILERPLATE = re.compile(
    r"^(?:last (?:updated|revised|modified)|effective (?:date|as of)|version \d|page \d|table of contents|contents$"
    r"|copyright|©|all rights reserved)|headings? (?:are|is) (?:for|only)|entire agreement|counterparts"
    r"|(?:these|the) (?:terms|conditions|rules) (?:are|form|make up) (?:a|the|an) (?:contract|agreement)"
    r"|the rest (?:still )?(?:applies|stays|remains)|remaining provisions|words in the singular",
    re.IGNORECASE,
)
_DUTIES = word_set("MUST FORBID NEEDNOT NOT UNLESS")
# A sentence with none of these, no number and nothing that must or must not be is of no consequence.
_CONSEQUENCE = re.compile(
    r"pay|paid|charg|fee|cost|price|refund|cancel|renew|terminat|liab|responsib|licen[cs]|arbitra|court|shar|sell|sold"
    r"|disclos|collect|retain|keep|kept|delet|suspend|clos|freez|lose|lost|forfeit|warrant|waiv|consent|agree|indemn|govern"
    r"|\blaw|insur|owner|own\b|free|chang|transfer|automatic|monitor|record|track|valid|expire|remov|block|refus|risk|interest"
    r"|passed|given|report|repa|return|credit|default|due|owe|assign|limit|exclu|right|power|final|binding|bound|decid"
    r"|complain|claim|opt out|identity|permission|upload|messages|as they are|damage|deduct|deposit|tax|rent|replac|data|information|camera|locat|advert|partner|police|penalt",
    re.IGNORECASE,
)
_POINTER = re.compile(
    r"^(?:it|this|these|those|they|such|that|he|she)\b\s*(?P<next>\w+)?\s*(?P<then>\w+)?", re.IGNORECASE
)
_OF_THE_DOCUMENT = word_set(
    """agreement contract terms policy document lease notice page plan statement licence license section clause
    conditions rules insurance warranty guarantee service site website app"""
)
# What a sentence about a topic mentions; a topic without such a word in the words that it cites is not there.
_TOPICS = {
    topic: re.compile(pattern, re.IGNORECASE)
    for topic, pattern in {
        "cost": r"fee|price|pric|cost|pay|charg|renew|subscri|deposit|interest|tax|bill|[$€£]|%|rate|trial|free|amount"
        r"|rent|premium|excess|deductible|credit|term\b|month|money|owe|debit|due|balance",
        "cancelling": r"cancel|refund|return|withdraw|terminat|notice|\bend\b|ends|leave|cooling|give up|reimburs|credit|close|stop"
        r"|back|switch|void|surrender",
        "data": r"data|information|record|track|collect|cookie|location|photo|image|camera|biometric|store|kept|keep|health"
        r"|face|facial|voice|monitor|retain|delete|genetic|sample|history|know|log|sensor|personal|privacy|details|automat|decision",
        "sharing": r"shar|disclos|sell|sold|pass|third part|partner|advertis|affiliat|author|police|transfer|give|provide|provider"
        r"|insurer|research|public|broker|employer|report|vendor",
        "content": r"content|post|upload|licen[cs]e|photo|work|material|publish|review|own|intellectual|feedback|message|design",
        "limits": r"not|must|only|may|ban|suspend|block|limit|prohibit|forbid|allow|at least|age|years|maximum|up to|require"
        r"|responsib|without|under|over|ask|identity|name|promise",
        "liability": r"liab|responsib|damage|loss|warrant|as is|indemn|risk|compensat|cover|guarante|exclu|fault|claim|cost|pay|right|waive|as they are|promise|error|advice|substitute|answer",
        "disputes": r"disput|arbitra|court|law|claim|jury|class action|sue|complain|mediat|ombuds|jurisdiction|proceed|resolve|suit\b|demand|opt",
        "changes": r"chang|modif|amend|updat|revis|vary|alter|increas|rais|adjust|new|discontinu|replace|add|remove|switch|goes? up|put up|review|substitute",
        "ending": r"\bend|terminat|clos|suspend|cancel|expire|stop|delet|leave|lapse|renew|notice|months|inactiv|dormant|freez|lose|withdraw|years|sleep|paus",
    }.items()
}


def is_trivial(text: str) -> bool:
    """Whether a point is a heading, a label, a pleasantry, boilerplate, or of no consequence."""
    line = normal(text)
    return bool(_PLEASANT.match(line) or _BOILERPLATE.search(line)) or _is_heading(line) or _is_empty(line)


def _is_empty(line: str) -> bool:
    """Whether a sentence tells of no cost, right, duty or risk: "Wish Lists help you to note down what you like"."""
    words = tokens(line)
    decides = any(word[0].isdigit() or word in _DUTIES for word in words)
    ours = "WE" in words and "MAY" in words
    return not decides and not ours and not _CONSEQUENCE.search(line)


def is_unclear(text: str) -> bool:
    """Whether a point begins with a word for something that it does not name: "It costs $119 a year"."""
    found = _POINTER.match(normal(text))
    if (
        not found
        or (found["next"] or "").lower() in _OF_THE_DOCUMENT
        or (found["then"] or "").lower() in _OF_THE_DOCUMENT
    ):
        return False
    return not (text.lower().startswith("it ") and found["next"] in ("is", "will"))  # "It is not allowed to …"


def is_off_topic(topic: str, words: str) -> bool:
    """Whether words, those that a point cites with those above, have nothing to do with its topic.

    Other topics than those of the list are not judged.
    """
    return topic in _TOPICS and not _TOPICS[topic].search(words)


def duplicates(texts: Sequence[str]) -> list[bool]:
    """For each point, whether an earlier one says the same, or it says a phrase over and over."""
    seen: list[Counter[str]] = []
    found = []
    for text in texts:
        words = tokens(text)
        phrases = Counter(zip(*(words[start:] for start in range(_PHRASE_WORDS)), strict=False))
        terms = Counter(stem(word) for word in words if is_content(word) or word[0].isdigit())
        again = any(_overlap(terms, other) >= _SAME for other in seen)
        found.append(again or max(phrases.values(), default=0) > _MOST_PHRASES)
        seen.append(terms)
    return found


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    return (one & other).total() / max((one | other).total(), 1)


def _is_heading(line: str) -> bool:
    words = tokens(line)
    plain = [word for word in words if word[0].isalnum()]
    says = any(
        word in PARTIES or word in MODALS or word in _VERBS or word[0].isdigit() or word == "NOT" for word in plain
    )
    if not any(len(word) > 1 and word.isalpha() for word in plain):  # "C1."
        return True
    return len(plain) <= _MOST_WORDS_OF_HEADING and not says and not line.endswith((".", "!", ";"))
