"""Prices: what is free and what costs something; tried after the rules of other topics."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "cost",
        "A price.",
        r"\A(?!.*\b(?:we|you|is|are|was|may|must|will|shall|if|not|no|refund\w*|pays?|limit\w*|"
        rf"cover\w*)\b)[^.;!?]{{2,80}}{w.CASH}[^;!?]{{0,40}}\Z",
    ),
    rule(
        "cost",
        "Some of this is free.",
        r"\bfree of charge\b|\bat no (?:extra |additional )?(?:cost|charge)|"
        r"\bno (?:extra )?(?:fee|charge)\b|\bwithout (?:extra )?charge\b|\b(?:is|"
        r"are) free\b(?! (?:to|of (?!charge)|from|version))|\bfree (?:trial|month|period|of cost|"
        r"delivery)\b|\bfirst (?:\w+ ){1,3}free\b",
        bars=(
            r"\bnot free\b|used to be|even (?:one|if)|place is free|duty[- ]free|(?:may|will|shall) not",
            r"\b(?:not|cannot|never)\b[^.;]{0,20}(?:free|without charge)|not have to",
        ),
    ),
    rule(
        "cost",
        "An amount to pay.",
        r"\b(?:fees?|charge[sd]?|costs?|prices?|rent|premium|tariff|payable|pays?|instal?lments?|"
        r"surcharge|rates?)\b",
        w.CASH,
        bars=(
            (
                r"\b(?:free|not|no|refund\w*|liab\w*|cover\w*|compensat\w*|insur\w*|yield|we (?:pay|bear|"
                r"keep|hold)|benefits?)\b|direct deposit"
            ),
            r"\bwe (?:will |shall )?pay|waive|reduced|nobody pays|compensat",
        ),
    ),
)
