"""Cover: what an insurance or a warranty pays for."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "cover",
        "You pay the first part yourself.",
        rf"\b(?:excess|deductible)(?: of| is| applies|:| for| \() [^.;]{{0,30}}{w.CASH}|"
        rf"\bfirst {w.CASH}[^.;]{{0,30}}(?:claim|loss|damage|incident|repair)|(?:you|renter|hirer|"
        r"insured) (?:pays?|bears?) the (?:first|excess)",
        bars=(
            (
                r"\b(?:no|without|waive[sd]?)\b[^.;]{0,12}(?:excess|deductible)|in excess|"
                r"excess (?:mileage|kilomet|baggage|luggage|weight|usage|data)|nil"
            ),
            r"\bwe pay the (?:excess|first)|\bnot pay\b|you do not",
        ),
    ),
    rule(
        "cover",
        "Something is not covered.",
        r"\b(?:warrant(?:y|ed)|guarantee|cover(?:ed|s|age)?|insur\w+|polic(?:y|ies)|claims?|"
        r"benefits?)\b",
        r"\b(?:(?:not|never|no longer) (?:be )?(?:covered?|insured?|extend|warranted)\b|(?:does|"
        r"do|will) not (?:cover|insure|extend|pay|respond)|(?:is|are|be) excluded|exclusions?|"
        r"no cover\b|(?:outside|voids?|void) (?:the|this) (?:warranty|cover|policy)|"
        r"outside this warranty|(?:is|are) void|falls? away|loses? (?:all |the )?(?:cover|"
        r"insurance|warranty)|warranty (?:lapses|ends)|nothing is paid)",
        bars=(
            r"liab|\b(?:law|rights|states?|jurisdictions?|provinces?)\b[^.;]{0,60}\b(?:not|exclu)",
            (
                r"\buntil\b|\bnothing is excluded|not (?:void|excluded)|(?:pay|paid|cost)\w* (?:\w+ "
                r"){0,3}more than"
            ),
        ),
    ),
    rule(
        "cover",
        "They pay up to a limit.",
        r"\b(?:cover|insur\w*|claim|benefit|protection|compensat\w+|reimburse|we pay|pays?)\b",
        rf"\b(?:up to|maximum|limit(?:ed)?|at most|no more than|not exceed\w*)\b[^.;]{{0,40}}{w.MONEY}",
        bars=(rf"\b(?:you|{w.YOU})s? (?:pays?|must|will|are)\b|\bpays? us\b|liab|fee|charge",),
    ),
    rule(
        "cover",
        "How long it is covered.",
        rf"\b(?:warrant(?:y|ed|ies)|guaranteed?|cover(?:ed|s)?|insured)\b (?:\w+ ){{0,5}}?(?:for|"
        rf"of|to|runs for|lasts) (?:\w+ )?{w.NUMBER}[- ]?{w.TIME}|"
        rf"{w.NUMBER}[- ]{w.TIME} (?:\w+ ){{0,2}}(?:warranty|guarantee|cover)\b",
        bars=(
            r"\b(?:not|no|never|liab\w*|nothing|outside|except)\b",
            r"nothing",
        ),
    ),
    rule(
        "cover",
        "To claim, you must do something.",
        r"\bclaims?\b[^.;]{0,80}\b(?:you|policyholder|insured) (?:must|need to|have to|has to|"
        r"should) (?:\w+ )?(?:report|send|keep|provide|give|notify|tell|submit|show|prove|obtain|"
        r"get)|\b(?:you|policyholder|insured) (?:must|need to|have to|has to) (?:\w+ )?(?:report|"
        r"send|keep|provide|notify|submit|show|prove|obtain)\b[^.;]{0,80}\bclaims?\b|"
        r"we need [^.;]{0,60}(?:report|receipt|proof|certificate)",
        bars=(r"\b(?:we must|release|waive|indemnif\w*|against us|court|arbitra\w*)\b",),
    ),
)
