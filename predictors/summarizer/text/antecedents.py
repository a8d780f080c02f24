"""Sentences that cannot stand alone, because they begin with a reference to the one before."""

import re

# Nouns for the document itself: "this agreement" needs no sentence before it.
_DOCUMENT = (
    r"(?:agreement|contract|terms|conditions|policy|notice|document|section|clause|page|website|site|app|application"
    r"|statement|warranty|guarantee|leaflet|booklet|form|schedule|lease|tenancy|licen[cs]e|note|insurance|price list"
    r"|tariff|summary|sheet|addendum|eula|card|service|product|device|software|appliance|game|platform|offer|programme"
    r"|program|ticket|membership|account|book|building|property|club|day|year|country|respect)"
)
_SELF = rf"(?:\w{{1,20}} ){{0,2}}{_DOCUMENT}s?\b"
# "It is your responsibility to …", "It may take …": the subject comes later, or there is none.
_EXPLETIVE = (
    r"it(?:'s| is| was| will be| may be| would be| shall be)(?: also| therefore| always| not)? "
    r"(?:(?:\w{1,20}(?:'s)?|the \w{1,20}'s) (?:sole |own )?(?:task|job|duty|responsibility|choice|decision|business)"
    r"|(?:important|possible|necessary|prohibited|forbidden|not permitted|permitted|allowed|up to|clear|understood"
    r"|agreed|recommended|advisable|essential|required|unlawful|illegal|an offen[cs]e|best|customary|impossible)) ?"
    r"|it (?:may|might|can|could|will|would|usually|normally|takes?|does)(?: \w{1,20})?? "
    r"(?:takes?|happens?|be that|not matter)"
)
_PRONOUN = (
    r"(?:them|these|those|this|that|both|neither|either|all of (?:them|these|this|which)"
    r"|none of (?:them|these))"
)
_POINTER = rf"(?:(?:this|these)(?! {_SELF})|that|those|such)"
_AFTER = (
    r"(?:in|on|at|for|from|during|within|after|before|until|under|with|to|by|without|despite|because of|instead of"
    r"|apart from|besides|beyond|following|if|unless|where|when|once|as|should|while|whether|although|even if)"
)
_TIMES = r"(?:time|period|date|day|days|hours|term|case|cases|event)"
_OPENINGS = (
    rf"(?!{_EXPLETIVE})(?:it|they|he|she)(?:'s|'ll)? ",
    rf"(?!{_EXPLETIVE}){_PRONOUN}(?:'s|'ll)?(?= (?!{_SELF}))(?<!\bthat)(?<!\bthis)(?<!\bthese)(?<!\bthose)",
    rf"{_POINTER} (?!you agree)",
    (
        r"(?:its|their|his|her|the same|the (?:latter|former)|the (?:rest|remainder|others?|difference)|another"
        r"|a further|a second|no such|any such|all such|each of (?:them|these)|some of (?:them|these)"
        r"|one of (?:them|these)) "
    ),
    rf"{_AFTER} (?:{_POINTER}|(?:it|they|them|he|she)\b(?! {_EXPLETIVE}))",
    (
        r"(?:otherwise|if so|if not|failing (?:that|this|which)|failing|then|thereafter|after(?:wards|ward)"
        r"|here(?:after|upon)|thereupon|even so|even then|so(?! (?:long|far|that))|instead(?! of)"
        r"|in (?:return|exchange)|in (?:either|neither) case|in both cases|in (?:every|any|all) other cases?"
        r"|doing so|to do (?:so|this|that)"
        r"|by doing (?:so|this)|from then on|by then|until then|more than that|likewise|the same|similarly|conversely"
        r"|nor|and|or|but|only then|for example|for instance|that is|meanwhile)\b"
    ),
    rf"{_AFTER} (?:we|you|they|either of us) (?:do|does|did|have done|fail to do|cannot do) (?:so|this|that|it)\b",
    (
        rf"(?:we|you)(?:'ll)? (?:\w{{1,12}} ){{0,2}}?(?:not |never |always |only )?\w{{2,14}} "
        rf"(?:it|them|(?:this|these|those)(?! {_SELF}))(?=[ ,.;])"
    ),
    # Short forms: "If we don't, …", "Yes, within 14 days.", "None are refundable."
    (
        r"(?:if|unless|until|when|once|where) (?:we|you|they|it|either of us) "
        r"(?:do|does|did|don't|doesn't|do not|does not|can|cannot|have|haven't)(?:,| then)"
    ),
    (
        r"(?:yes|no)[,.!:;]|(?:(?:the )?(?:only )?exceptions? (?:is|are)|each costs?|none (?:is|are)"
        r"|on top of (?:this|that)|all (?:the )?others?|the (?:first|second|third) "
        r"(?:costs?|is|renews|lasts|may|can|must))\b"
    ),
    # References later in a sentence: "There is a fee of $20 for this."
    (
        r"(?:we|you|they|there)\b(?:'ll)?(?: [\w'$\u00a3\u20ac]{1,20}){0,6}? (?:for|of|about|from|with|to|by) "
        r"(?:it|this|that|them|these)"
        r"(?=[,.;]|\Z| (?:unless|until|if|within|after|before)\b)"
    ),
    rf"[^,;.]{{0,60}}\b(?:in|after|before|during|within|outside|at|since) (?:that|those|such) {_TIMES}\b",
    r"[^,;.]{0,80}\b(?:because of (?:it|that|this|them)|(?:despite|instead of) (?:that|this))(?=[ ,.;]|\Z)",
    r"[^.;]{0,80}\bif you (?:disagree|object|do(?: not|n't) (?:agree|accept))\W{0,3}\Z",
    r"[^.;]{0,40}\b(?:is|are) exempt\W{0,3}\Z",
    r"[^.;]{0,80}\bto do so\W{0,3}\Z|(?:we|you) (?:\w{1,20} ){0,3}do so\b",
)
_DEPENDENT = re.compile("|".join(f"(?:{opening})" for opening in _OPENINGS), re.IGNORECASE)
_LEADING = re.compile(
    r"\A[\"'\u201c\u201d\u2018(*_ ]{0,6}(?:(?:however|in addition|additionally|furthermore|moreover|accordingly"
    r"|therefore|consequently|besides|also|finally|please note that|note that|of course|in general|generally|normally"
    r"|usually|as a rule),? )?",
    re.IGNORECASE,
)
_LOOKED_AT = 200  # characters


def needs_antecedent(sentence: str) -> bool:
    """Whether a sentence begins with a word for something that only the text before it names.

    Args:
        sentence: one line, without a label.
    """
    plain = sentence[:_LOOKED_AT].replace("\u2019", "'")
    opening = _LEADING.match(plain)
    start = opening.end() if opening else 0
    return _DEPENDENT.match(plain, start) is not None
