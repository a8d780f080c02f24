"""Limits: what one may, must and may not do."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "limits",
        "It depends on age.",
        r"\b(?:under|over|below|at least|aged|older than|younger than|"
        rf"turn)\s(?:the age of )?{w.AGE}(?!\s?(?:hours?|days?|weeks?|months?|minutes?|%|percent|"
        rf"[.,]\d|euros?|dollars?|pounds?|cents?|miles|km|kilo))|{w.AGE} (?:years? (?:old|of age)|"
        r"or (?:older|over|above))|\b(?:twelve|thirteen|fourteen|fifteen|sixteen|eighteen|"
        rf"twenty-\w{{3,5}}) years old|minimum age|\badults? only",
        r"\b(?:you|child\w*|students?|renters?|drivers?|members?|people|person|account|minors?|"
        r"anyone|users?|subscriber|who|must|parents?|players?|guests?)\b",
        bars=(
            r"clause|section|\u00a7|years? in",
            r"\bno minimum age|\b(?:gb|mb|hours?) of\b",
        ),
    ),
    rule(
        "limits",
        "It is personal: you may not pass it on.",
        r"\b(?:may|must|can|shall|"
        r"cannot)(?: not)?\b[^.;]{0,12}\bnot?\b[^.;]{0,30}\b(?:transfer(?:red)?|assign(?:ed)?|"
        r"sublet|lend|lent|resell|resold|sell it|rent it|hand it)\b|"
        r"\bcannot (?:be )?(?:transfer(?:red)?|assign(?:ed)?|sublet|resold|passed on)|"
        r"\bnon-?transferable|\bpersonal to (?:you|the)\b|\bis personal\b|\bnobody else may use",
        bars=(
            r"\bwe (?:may|will|shall|do) (?:not|never)|\bwe never\b|data|information|disclos",
            r"you may (?:transfer|sublet|assign|lend|sell)",
        ),
    ),
    rule(
        "limits",
        "Something you may not do.",
        rf"\b(?:you|{w.YOU}|nobody|no one)s?\b[^.;]{{0,20}}\b(?:must not|may not|shall not|(?:are|"
        r"is) not (?:allowed|permitted)|must never|may never|agrees? not to|(?:are|is) prohibited|"
        r"undertakes? not to|nor may|(?:will|agrees?) not)\b|\bnor may you\b|\byou cannot (?!be |expect|get|have|see|"
        r"lose)|\bnobody may\b|\bno (?:one|person|animals?|pets?|vehicles?|guests?|children) may be\b",
        bars=(
            (
                r"(?:may|might) not (?:be (?:able|charged|covered|refunded|entitled|notified|told|liable|"
                r"responsible|asked|paid)|receive|get|see|have|always|find|lose|owe|pay|need)|\bwe (?:may|"
                r"will|shall|must) not\b|may or may not|\b(?:while|if|when|because|where|that) (?:you|they) cannot"
            ),
            (
                r"must not be (?:charged|told|asked|refused)|\bcompany may not|\bwe may not|\byou will "
                r"not (?:be|receive|get|see|have|find|lose|owe|pay|need|hear)\b|\bif you will not\b"
            ),
        ),
    ),
    rule(
        "limits",
        "Something is not allowed.",
        r"\b(?:(?:is|are|be) (?:strictly )?(?:prohibited|forbidden|banned)|not (?:be )?(?:allowed|"
        r"permitted|admitted|tolerated|welcome)|strictly no)\b|\A(?:please )?(?:do not|"
        r"never) (?!hesitate|worry|forget)\w+|[.:] (?:do not|never) (?:use|post|share|copy|smoke|"
        r"park|open|remove|sell)\b",
        bars=(
            (
                r"\b(?:not|never) (?:prohibited|forbidden|banned)|by law\b|we are not|you will be|"
                r"not be allowed to us"
            ),
        ),
    ),
    rule(
        "limits",
        "You have to act in time.",
        rf"(?<!if )\b(?:you|{w.YOU})\b[^.;]{{0,12}}\b(?:must|shall|have to|has to|(?:are|"
        rf"is) required to|need to|undertakes? to)\b[^.;]{{0,120}}\b(?:within|no later than|"
        r"not later than|at least|in advance|immediately|promptly|at once|without delay)\b",
        rf"{w.TIME}|immediately|promptly|at once|without delay|in advance",
        bars=(
            r"\byou (?:must|shall) not|need not|do(?:es)? not (?:have|need)",
            r"must be (?:told|given|refunded|informed)|have to be (?:told|given)|shall have|do nothing",
        ),
    ),
    rule(
        "limits",
        "There is a limit.",
        rf"\b(?:at most|no more than|not more than|a maximum of|maximum (?:\w+ ){{0,2}}(?:is|of)|"
        r"is limited to|are limited to|limit of|capped at|may not exceed|not exceed|cannot exceed|"
        rf"no longer than|fair[- ]use|threshold)\b[^.;]{{0,30}}(?:{w.NUMBER}|{w.CASH})",
        bars=(r"liab|\bno (?:upper )?(?:limit|maximum)|\bfine\b|compensat|damages",),
    ),
    rule(
        "limits",
        "Something you must do.",
        rf"(?<!if )\b(?:you|{w.YOU})s?\b[^.;]{{0,12}}\b(?:must|shall|have to|has to|(?:are|"
        r"is) (?:required|obliged) to|undertakes? to|need to)\b(?! be (?:refunded|told|notified|"
        r"given))",
        bars=(
            (
                r"\b(?:must|shall|need) not|need not|do(?:es)? not (?:have|need)|(?:not|"
                r"never) (?:required|obliged)|shall (?:receive|be entitled|have)"
            ),
            r"\bwho must\b|\bwe must\b|\A[^,;]*\bto renew, ",
        ),
    ),
)
