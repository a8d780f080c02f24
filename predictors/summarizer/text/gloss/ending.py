"""Ending: suspension, closing and what goes on afterwards."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "ending",
        "Leave it unused for long and you may lose it.",
        r"\b(?:inactiv\w*|dormant|not (?:been )?(?:used|signed in|logged in|opened|active)|"
        r"have not (?:\w+ )?(?:signed|logged|used)|unused|no activity)\b",
        r"\b(?:clos(?:e|es|ed)|delet\w+|expires?|suspend\w*|lose|lost|cancel\w*|forfeit\w*|"
        r"put to sleep|terminat\w*|remove[sd]?|recycle)\b",
        bars=(r"\b(?:never|not be) (?:\w+ )?(?:clos|delet|lost)",),
    ),
    rule(
        "ending",
        "They may cut you off at once.",
        r"\b(?:we|bank|landlord|company|provider|operator|insurer|lender|carrier|school|"
        rf"{w.THEM})\b[^.;]{{0,60}}\b(?:suspend|terminat|close|end|cancel|ban|block|disconnect|"
        r"evict|refuse|withdraw|exclude)\w*\b",
        r"\b(?:without (?:prior |further |any )?(?:notice|warning)|immediately|at once|right away|"
        r"with immediate effect|on the spot)\b",
        r"\b(?:may|can|will|shall|right|entitled|discretion)\b",
        bars=(
            (
                r"\b(?:may|can|will|shall) not (?:suspend|terminat|close|end|cancel|block|disconnect)|"
                r"cannot|\byou (?:may|can) (?:\w+ )?(?:end|terminate|cancel)"
            ),
            (
                r"\b(?:never|not enter|at your request|if you ask)\b|\b(?:you|tenant|member|customer|client|"
                r"renter|subscriber)s? may(?: also| then|,[^.;]{0,60},)? (?:end|close|terminate|cancel|leave)"
            ),
        ),
    ),
    rule(
        "ending",
        "They may suspend or end it.",
        r"\b(?:we|bank|landlord|company|provider|operator|insurer|lender|carrier|school|"
        rf"{w.THEM})\b[^.;]{{0,30}}\b(?:may|can|reserves? the right|are entitled|is entitled|"
        rf"are free|has the right|have the right)\b[^.;]{{0,60}}\b(?:suspend|terminat|close|end|"
        r"cancel|ban|block|restrict|disconnect|evict|deactivat|freeze)\w*\b",
        bars=(
            (
                r"\b(?:may|can) not\b|cannot|\b(?:lift|release)\w* the block|end[- ]of|"
                r"\bonly (?:if|where|when)\b|\bdata\b|weekend"
            ),
            (
                r"\bonly after\b|\byou may (?:then )?(?:end|close|terminate|leave|cancel)|at your request|"
                r"\b(?:if )?we (?:break|breach|fail|are in breach)\b|for cleaning|close the (?:pool|gym|shop|"
                r"office|store)|\bnever\b"
            ),
        ),
    ),
    rule(
        "ending",
        "Break the rules and you may lose it.",
        r"\b(?:break|breach|violat|infring|abus|misus|misconduct|behav)\w*\b",
        r"\b(?:suspend|terminat|lose|loses|ban|banned|exclu|expel|remov|evict|clos|block|"
        r"termination)\w*\b",
        bars=(r"\b(?:we|our|landlord|supplier|company|seller|other) (?:break|breach)|liab",),
    ),
    rule(
        "ending",
        "Some of it goes on after the end.",
        r"\b(?:surviv\w+|continues? to apply|remains? in force|still appl(?:y|ies)|"
        r"go(?:es)? on applying)\b[^.;]{0,60}\b(?:end|terminat|expir|clos)|(?:sections?|clauses?|"
        r"paragraphs?)\b[^.;]{0,60}\b(?:continue|survive)",
        bars=(r"\bnot\b",),
    ),
    rule(
        "ending",
        "They may hand the contract on to somebody else.",
        rf"\b(?:we|bank|company|lender|provider|{w.THEM})\b[^.;]{{0,30}}\b(?:may|"
        rf"can)\b[^.;]{{0,20}}\b(?:assign|transfer|sell)\b[^.;]{{0,60}}\b(?:agreement|rights|"
        r"contract|terms|debt|loan|obligations)\b",
        bars=(
            r"\b(?:may|can) not\b|cannot",
            r"\bonly (?:with|if)",
        ),
    ),
    rule(
        "ending",
        "What happens when it ends.",
        r"\b(?:on|upon|after|at the end of|when|once) (?:\w+ ){0,3}?(?:termination|contract ends|"
        r"agreement ends|this agreement ends|account is closed|tenancy ends|lease ends|"
        r"membership ends|subscription ends|policy ends|end of this agreement|close your account)",
        bars=(r"before|“trip”",),
    ),
)
