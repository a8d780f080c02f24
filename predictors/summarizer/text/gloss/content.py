"""Content: what people post, and what they may use."""

from predictors.summarizer.text.gloss import words as w
from predictors.summarizer.text.gloss.rule import rule

RULES = (
    rule(
        "content",
        "They may use what you post for ever.",
        r"\blicen[cs]e\b|\bright to use\b|\bpermission\b",
        rf"\b(?:you|your|author|{w.YOU})s?\b[^.;]{{0,40}}\b(?:grant|give|allow|licen[cs]e)|"
        r"\bby (?:posting|uploading|submitting)",
        r"\b(?:perpetual\w*|for ?ever|even after you|continues? after|carries on after|"
        r"without (?:any )?(?:limit in time|time limit|limit of time)|unlimited in time)\b",
        bars=(r"\bwe (?:grant|give)\b",),
    ),
    rule(
        "content",
        "You let them use what you post.",
        rf"\b(?:you|author|{w.YOU})s?\b[^.;]{{0,40}}\b(?:grant|give|allow|licen[cs]e)s?\b|"
        r"\bby (?:posting|uploading|submitting|entering)",
        r"\blicen[cs]e\b|\bright to use\b|\bpermission to\b|allow[^.;]{0,40}to use|\buse your\b",
        r"\b(?:content|photos?|pictures?|images?|posts?|reviews?|material|recordings?|videos?|"
        r"feedback|likeness|name|suggestions?|submissions?|work)\b",
        bars=(
            r"\bwe (?:grant|give)\b|\bnot\b[^.;]{0,20}(?:grant|give|use)",
            r"\bno licen[cs]e|\b(?:not|never|no)\b",
        ),
    ),
    rule(
        "content",
        "What you post stays yours.",
        r"what you (?:post|upload|store|make|write)[^.;]{0,30}\b(?:yours|your own)\b|\b(?:you|"
        r"members?|users?) (?:still |will )?(?:keep|retain|remain the owner|"
        r"own)\b[^.;]{0,40}\b(?:content|them|posts?|photos?|work|files|rights|what you|"
        r"ownership)\b|\b(?:stays?|remains?) (?:yours|your (?:own )?property)\b",
        bars=(
            r"\b(?:not|never|no|risk|copies|licen[cs]e|expense|cost)\b",
            r"\bnothing\b",
        ),
    ),
    rule(
        "content",
        "They may take down what you post.",
        rf"\b(?:we|{w.THEM}|moderators?)\b[^.;]{{0,30}}\b(?:remove|delete|take down|hide|block|"
        rf"reject|edit)\b[^.;]{{0,60}}\b(?:content|posts?|listings?|material|reviews?|messages?|"
        r"photos?|profiles?|videos?|comments?)\b|\bmay be (?:removed|taken down|deleted|hidden)\b",
        bars=(
            r"\b(?:do|does|will|may|can|cannot) not\b|\bdata\b|backup",
            r"\bby you\b|\bonly\b",
        ),
    ),
    rule(
        "content",
        "You get a right to use it, and no more.",
        r"\bwe (?:grant|give) you\b[^.;]{0,60}\b(?:licen[cs]e|right|permission)|"
        r"\b(?:grants?|gives?) (?:you|the (?:user|customer|licensee|"
        r"student)) (?:a|an|the)\b[^.;]{0,60}\b(?:licen[cs]e|right)|\blicensed,? (?:and )?not sold",
        bars=(r"\bnot (?:grant|give)\b",),
    ),
)
