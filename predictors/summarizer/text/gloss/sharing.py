"""Sharing: who else gets to know."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "sharing",
        "They say what they will not pass on or sell.",
        r"\bwe (?:do|will|shall|would|can) (?:not|never) (?:\w+ )?(?:sell|rent|share|disclose|"
        r"trade|pass)\b|\bwe never (?:sell|share|disclose|rent|pass)|(?:is|are) (?:not|"
        r"never) (?:sold|shared|disclosed|passed)|neither sell",
        r"\b(?:data|information|details|address|names?|records?|results?|samples?|messages?)\b",
    ),
    rule(
        "sharing",
        "They share it unless you say no.",
        rf"\b{w.SHARE}\b[^.;]{{0,120}}",
        r"\bunless (?:you|the \w+) (?:\w+ ){0,3}(?:object|switch|opt|turn|tell|untick|tick|"
        r"withdraw|say)|\b(?:you (?:may|can) (?:opt out|object|switch (?:it|this) off|"
        r"withdraw this permission|stop this))\b",
        w.DATA,
        r"\b(?:we|us|our|are|is)\b",
        bars=(
            (
                r"\b(?:not|never)\b[^.;]{0,12}(?:share|sell|pass|disclose)|arbitra|licen[cs]e|consent(?:s|"
                r"ed)?\b"
            ),
        ),
    ),
    rule(
        "sharing",
        "They may sell your data.",
        r"\b(?:sell|sells|selling)\b[^.;]{0,40}\b(?:your|personal|its|their|them|"
        r"analyses)?\b[^.;]{0,20}\b(?:data|information|details|location|records|"
        r"analyses of them)\b|\b(?:data|information|details|records)\b[^.;]{0,40}\b(?:is|are|"
        r"be) sold\b",
        bars=(
            r"\b(?:not|never|no|nor|merger|merges|business|assets|goods|items?|unlimited)\b",
            r"\bsells? (?:products?|tickets?|goods|data (?:plans?|storage|packages?))",
        ),
    ),
    rule(
        "sharing",
        "If the company is sold, this goes with it.",
        r"\b(?:merger|merge[sd]?|acqui(?:red|sition)|(?:is|are) (?:ever )?sold or|sale of (?:our|"
        r"the|its) (?:business|company|assets)|sell (?:our|the) (?:business|company)|successor|"
        r"reorgani[sz]ation|takes over (?:our|the))\b",
        r"\b(?:data|information|agreement|rights|contract|readings|account|terms)\b",
        r"\b(?:transfer\w*|pass(?:es)?|goes|assign\w*|shared?|disclosed?)\b",
        bars=(r"\b(?:not|never)\b[^.;]{0,20}(?:transfer|assign|pass)|\byou (?:may|can)not",),
    ),
    rule(
        "sharing",
        "Insurers may get it.",
        r"\binsur(?:er|ers|ance)\b",
        rf"\b{w.SHARE}\b",
        w.DATA,
        bars=(
            w.NEGATED,
            r"\byou (?:must|will|shall)\b",
            r"insurance covers|by mistake",
        ),
    ),
    rule(
        "sharing",
        "Advertisers or data brokers may get it.",
        r"\b(?:advertis\w+|ad (?:networks?|partners?)|data brokers?|marketing (?:partners?|"
        r"compan\w+))\b",
        rf"\b{w.SHARE}\b",
        w.DATA,
        bars=(w.NEGATED, r"licen[cs]e|your content|\bwe (?:receive|get|obtain)\b"),
    ),
    rule(
        "sharing",
        "Authorities may be told.",
        r"\b(?:law enforcement|police|authorit(?:y|ies)|court orders?|government|regulators?|"
        r"subpoena|tax office)\b",
        rf"\b{w.SHARE}|report(?:ed|s)?\b",
        r"\b(?:we|us|our|data|information|details|records?)\b",
        bars=(
            w.NEGATED,
            r"you (?:must|have to|should) (?:\w+ )?report|vehicle licensing",
            r"\bnothing\b|if the (?:police|authorities) ask",
        ),
    ),
    rule(
        "sharing",
        "Your data may leave the country.",
        r"\b(?:outside (?:the|your)|abroad|overseas|other countries|another country|"
        r"third countr(?:y|ies))\b",
        r"\b(?:transfer\w*|process\w*|stor(?:e|ed|es)|sent|send|held)\b",
        w.DATA,
        bars=(
            r"\b(?:never|do not|does not|is not|are not)\b",
            r"\b(?:not|no|never)\b",
        ),
    ),
    rule(
        "sharing",
        "Others see what you do or say there.",
        r"\b(?:visible to|shown to (?!you)|(?:is|are|be|go|switches to) (?:made )?public\b|"
        r"public archive|seen by|everyone can see|anyone can see|show your|other (?:members|users|"
        r"people) (?:can|may) see|can see (?:every|all|your|when|what))",
        r"\b(?:profile|posts?|review|name|photos?|comments?|picture|rating|activity|listings?|"
        r"time you|readings)\b",
        bars=(
            r"\b(?:not|never|nobody|private|licen[cs]e)\b",
            r"\bonly (?:visible )?to you|hidden|\bno\b",
        ),
    ),
    rule(
        "sharing",
        "Others get it too.",
        r"\b(?:we|our|us|and|also|are|is|be|school|which|bank|"
        rf"it)\b[^.;]{{0,25}}\b{w.SHARE}\b[^.;]{{0,120}}\b(?:third part(?:y|ies)|partners?|"
        r"affiliates?|affiliated|suppliers?|vendors?|compan(?:y|ies)|agents?|agenc(?:y|ies)|"
        r"landowner|providers?|contractors?|promoters?|hospitals?|carriers?|authorit(?:y|ies)|"
        r"researchers?|sponsors?|group|subsidiar\w+|banks?|bureaus?|universit\w+|employers?|"
        r"insurers?|networks?|firms?|owner)\b",
        w.DATA,
        bars=(
            w.NEGATED,
            (
                r"licen[cs]e|you (?:must|may|agree to|shall|will) (?:\w+ )?(?:provide|give|share|disclose|"
                r"transfer)|deposit|refund|we give you"
            ),
            r"\bonly\b",
        ),
    ),
)
