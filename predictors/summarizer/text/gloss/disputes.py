"""Disputes: arbitration, courts, time limits and complaints."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "disputes",
        "You can opt out of arbitration.",
        r"\barbitra",
        r"\bopt(?:ing)?[- ]out|\b(?:reject|refuse|decline|say no to) (?:\w+ ){0,3}(?:arbitra|"
        r"agreement to arbitrate)",
        bars=(
            r"(?:cannot|may not|do not|does not|shall not|will not) (?:\w+ ){0,3}opt",
            r"no (?:right|way|option) to opt",
        ),
    ),
    rule(
        "disputes",
        "You can't sue in court: disputes go to arbitration.",
        r"\barbitra",
        r"binding (?:\w+ ){0,2}arbitration|(?:must|shall|will) (?:\w+ ){0,6}(?:by|through|to|in|"
        r"into) (?:\w+ ){0,6}arbitrat|decided by (?:\w+ ){0,4}arbitrat|instead of (?:a |the |"
        r"in )?courts?|not (?:in|by) (?:a )?(?:court|judge)",
        bars=(
            (
                r"\b(?:unless|except|small[- ]claims?|but not|neither|may (?:choose|elect)|either (?:of|"
                r"party)|optional|voluntar\w+|no arbitration|not (?:be )?(?:subject|required|bound|"
                r"obliged)|do not|does not|if you (?:agree|choose|prefer|opt))\b"
            ),
            r"not (?:\w+ )?(?:through|by|to|in) (?:\w+ )?arbitrat|rather than (?:\w+ )?arbitrat",
        ),
    ),
    rule(
        "disputes",
        "No class actions.",
        r"class[- ]action|class arbitration|class-wide|\bclass or representative|"
        r"class,? collective|representative (?:action|proceeding|capacity)|"
        r"join (?:or bring )?a class",
        r"\b(?:waive[sd]?|gives? up|neither|no|not|never|only|cannot)\b",
        bars=(
            r"(?:waiver|paragraph|section) does not apply|cannot be enforced|strikes? out",
            (
                r"\b(?:not|never) (?:\w+ )?(?:waive|prohibit|give up|bound)|\bnothing\b|\bkeeps?\b|stops? you|"
                r"\A(?!.*\b(?:not|neither|nor|nobody|no|waive\w*)\b).*\bmay (?:bring|hear|join)|allowed"
            ),
        ),
    ),
    rule(
        "disputes",
        "No jury.",
        r"\bjury trial|trial by jury|\bjudge or jury|\bjury\b[^.;]{0,20}\bwaive",
        r"\b(?:waive[sd]?|gives? up|giving up|no|not|without|cannot|instead)\b",
        bars=(r"\b(?:not|never|nothing) (?:\w+ ){0,2}?(?:waive|give)|\bkeeps?\b|\bretains?\b|nothing",),
    ),
    rule(
        "disputes",
        "About arbitration, which takes the place of a court.",
        r"\barbitra",
        bars=(
            (
                r"\b(?:voluntary|optional|need not|no arbitration|not use arbitration|instead of arbitration|"
                r"but neither)\b|\bnot (?:\w+ )?(?:through|by|to|in) (?:\w+ )?arbitrat|rather than arbitrat"
            ),
        ),
    ),
    rule(
        "disputes",
        "Try to settle it with them first.",
        r"\bbefore (?:you |either |any |going|bringing|starting|taking|"
        r"filing)[^.;]{0,60}\b(?:formal|court|arbitra\w*|claims?|proceed\w*|lawsuit|legal|"
        r"action)\b|\bfirst (?:\w+ ){0,3}(?:write|contact|notice|send|put to|talk|tell)|\b(?:try|"
        r"work) (?:to resolve|it out)|informal",
        r"disput|claim|complain|concern",
        r"\b(?:must|shall|agree|first|will|has to|have to|submit)\b",
        bars=(r"liab|before (?:we|the company|the insurer) ",),
    ),
    rule(
        "disputes",
        "There is a time limit for complaints or claims.",
        r"\b(?:claims?|complain\w*|legal action|lawsuits?|suits?|appeals?|proceedings|objections?)\b",
        rf"\b(?:within|no later than|not later than)\b(?:[^.;]{{0,40}}?){w.NUMBER} ?(?:\w+ )?{w.TIME}",
        r"\b(?:must|barred|has to|have to|lose[sd]?|lapses?|may not|cannot|not be (?:considered|"
        r"accepted)|shall|should|brought|lost|reach|submitted|filed)\b",
        bars=(
            (
                r"we (?:will|aim to|try to|shall)?\s?(?:\w+ )?(?:answer|reply|respond|decide|"
                r"acknowledge)[^.;]{0,40}within"
            ),
            r"\bwe (?:must|shall|will) (?:pay|tell|answer|decide|give)|paid by us",
        ),
    ),
    rule(
        "disputes",
        "Somebody outside the company can look at a complaint.",
        r"\b(?:ombuds\w+|adjudicat\w+|mediat\w+|conciliation|dispute resolution (?:body|scheme|"
        r"platform|service))\b",
        bars=(r"\b(?:not|no)\b",),
    ),
    rule(
        "disputes",
        "Which court decides.",
        r"\b(?:courts?|jurisdiction|venue)\b",
        r"\b(?:jurisdiction|courts? (?:of|in|at|for)|before the|county court|court of the|exclusive)\b",
        r"disput|jurisdiction|proceedings|action|sue|claim",
        bars=(r"court (?:order|costs?|fees?)|courtesy",),
    ),
    rule(
        "disputes",
        "Which law applies.",
        r"\bgovern(?:ed|ing|s)\b[^.;]{0,40}\blaws?|\blaws? (?:of [^.;]{2,60} )?governs?\b|"
        r"\b(?:english|scottish|irish|dutch|german|french|\w{3,12}ian) law applies|"
        r"follow the law of|under the laws? of",
    ),
)
