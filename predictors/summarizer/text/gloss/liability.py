"""Liability: who answers for what goes wrong."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "liability",
        "Where you live, the law may not allow this.",
        r"\b(?:states?|jurisdictions?|provinces?|countries|places)\b[^.;]{0,40}\b(?:do|does|"
        r"may) not (?:allow|permit)",
    ),
    rule(
        "liability",
        "Your rights by law stay.",
        r"\bnothing in\b[^.;]{0,60}\b(?:limits?|excludes?|affects?|takes? away|restricts?|"
        r"prevents?)|(?:statutory|legal|mandatory|consumer) rights (?:are|remain|is)? ?(?:not |"
        r"un)?(?:affected|remain|unaffected)|does not (?:limit|affect|"
        r"exclude)[^.;]{0,40}\b(?:rights|liability)",
        r"\b(?:rights?|liab\w+|law)\b",
        bars=(r"rights are affected|\bour rights|your liability|limits your (?:liability|duty|duties|obligations)",),
    ),
    rule(
        "liability",
        "You answer for it, up to a limit.",
        rf"\b(?:you|{w.YOU})(?: (?:are|is|will be|remains?|may be))? (?:\w+ )?(?:liable|"
        rf"responsible|lose)\b[^.;]{{0,60}}\b(?:up to|no more than|at most|limited to|maximum)\b|"
        rf"\byour liability\b[^.;]{{0,60}}\b(?:up to|limited|exceed|more than)",
        w.MONEY,
    ),
    rule(
        "liability",
        "What they owe you if things go wrong is capped.",
        r"\bliab\w*|\bresponsib\w*|compensat\w+|\bdamages\b",
        r"\b(?:limited to|not exceed|no more (?:in total )?than|at most|not be more than|maximum|"
        r"capped|is limited)\b",
        rf"\b(?:our|its|we|us|{w.THEM})\b",
        bars=(
            (
                rf"\b(?:you|{w.YOU})(?: (?:are|is|will be|remains?|may be))? (?:\w+ )?(?:liable|"
                r"responsible)|your liability|we pay (?:damages|up to|costs)|\b(?:not|"
                rf"nothing)\b[^.;]{{0,20}}\b(?:limit|restrict)"
            ),
            r"\b(?:not|never|no) (?:\w+ )?(?:capped|limited|limit|cap)\b(?! (?:be )?more)",
        ),
    ),
    rule(
        "liability",
        "If others make claims because of you, you pay.",
        r"\bindemnif|\bindemnity|hold [^.;]{0,30}harmless",
        r"\b(?:you|user|customer|member|tenant|renter|hirer|client)\b",
        bars=(
            (
                r"\bwe (?:will |shall |agree to )?(?:\w+ )?indemnif|not (?:be )?(?:required|"
                r"obliged)[^.;]{0,20}indemnif|indemnif\w+ you"
            ),
            (
                r"\b(?:not|neither|never|nor)\b[^.;]{0,40}indemnif|we indemnif|(?:us|company|carrier|supplier|"
                r"provider|landlord) (?:shall |will |agrees to )?indemnif"
            ),
        ),
    ),
    rule(
        "liability",
        "You bear the risk.",
        r"\b(?:own|your|owners?'?s?'?|hirer's|tenant's|guest's|member's|customer's) (?:own )?risk\b",
        bars=(
            r"\b(?:not|never)\b[^.;]{0,20}risk",
            r"\bour own risk|seller's risk|we bear",
        ),
    ),
    rule(
        "liability",
        "You give up rights here.",
        r"\b(?:waive[sd]?|giv(?:e|es|ing) up|releas(?:e|es))\b[^.;]{0,60}\b(?:claims?|rights?|"
        r"liabilit\w+|remed\w+)\b",
        rf"\b(?:you|{w.YOU})\b",
        bars=(
            r"\bwe (?:do not )?waive|cannot be waived|\b(?:not|no|never) (?:a )?waive|fail\w* to|no waiver",
            (
                r"\b(?:not|never|no|nothing)\b[^.;]{0,20}(?:give|waive|releas)|\b(?:we|landlord|company|"
                r"lessor|seller) (?:\w+ )?(?:waives?|releases?|gives?)"
            ),
        ),
    ),
    rule(
        "liability",
        "They do not answer for this.",
        rf"\b(?:we|us|nor|neither|no one|nobody|{w.THEM})\b[^.;]{{0,80}}\b(?:not|nor|never|no|"
        rf"neither)\b[^.;]{{0,40}}\b(?:liab\w*|responsib\w*|answerable|answer for|accountable|"
        rf"compensat\w*)|\b(?:not|never|nor) (?:\w+ ){{0,3}}(?:liable|responsible|answerable|"
        r"accountable) for|accepts? no (?:liability|responsibility)|no (?:liability|"
        r"responsibility) for|disclaims?",
        bars=(
            (
                rf"\b(?:you|{w.YOU}) (?:are|is|will|shall|will be) not (?:\w+ )?(?:liable|responsible)|"
                r"you (?:are|will be) (?:liable|responsible)"
            ),
            (
                rf"\b(?:you|your|{w.YOU})s? (?:are|is|will be|shall be) (?:not|never) (?:\w+ )?(?:liable|"
                r"responsible|answerable|accountable)|not (?:relieved|excused|limit|exclude)|(?:cannot|may not) limit"
            ),
        ),
    ),
    rule(
        "liability",
        "They make no promise about this.",
        r"[\"“']as[- ]is\b|provided as is|\bas-is\b|provided as (?:it is|they are)|provide (?:it|"
        r"them) as (?:it is|they are)|as they are and as they are available|\bas available[\"”]|"
        r"\b(?:do|does|can|make|makes|give|gives|we) (?:not|no) (?:\w+ )?(?:promises?|guarantees?|"
        r"warrants?|warrant(?:y|ies))\b|\bcannot (?:promise|guarantee|warrant)|no (?:warrant(?:y|"
        r"ies)|guarantee|promise)|disclaims?|without warrant",
        bars=(r"\byou (?:do not|cannot)|states?",),
    ),
    rule(
        "liability",
        "You pay for loss or damage.",
        rf"\b(?:you|{w.YOU}) (?:\w+ ){{0,2}}?(?:pays?|(?:are|is) (?:liable|responsible)|"
        r"will be charged|(?:is|are) charged|bears?|owes?|reimburses?|will make good|makes? good|"
        rf"agree to reimburse|compensate)\b[^.;]{{0,60}}\b(?:damage|loss(?:es)?|theft|repairs?|"
        r"replacement|breakages?|cleaning)\b|cost of (?:making good|replacing|repairing|cleaning)",
        bars=(r"\b(?:not|no|never|unless)\b|refund",),
    ),
    rule(
        "liability",
        "You answer for this.",
        rf"\b(?:you|{w.YOU}) (?:are|is|remains?|will be|shall be) (?:\w+ )?(?:responsible|liable|"
        r"answerable|accountable)\b|\byour responsibility\b",
        bars=(r"\b(?:not|never)\b[^.;]{0,12}(?:responsible|liable|answerable)",),
    ),
)
