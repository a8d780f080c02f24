"""Patterns of postal addresses, which Presidio has none of. Only what has a certain form is found."""

_NUMBER = r"\b\d{1,5}(?:[A-Za-z]|-\d{1,4})?"
_KINDS = (
    "(?:Street|Road|Avenue|Boulevard|Lane|Drive|Court|Place|Square|Terrace|Crescent|Close|Gardens|Parkway|Highway|Way)"
    r"\b|(?:St|Rd|Ave|Blvd|Ln|Dr|Ct|Pl|Sq|Ter|Pkwy|Hwy)\b\.?"
)
_FLAT = r"(?:,? (?:[Aa]pt|[Aa]partment|[Ss]uite|[Ss]te|[Uu]nit|[Ff]lat|#)\.? ?[\w-]{1,6})?"
_CITY = r"(?:, [A-Z][A-Za-z.'-]{1,30}(?: [A-Z][A-Za-z.'-]{1,30}){0,2})?(?:,? [A-Z]{2} \d{5}(?:-\d{4})?)?"
_GERMAN_KINDS = r"(?:[Ss]traße|[Ss]trasse|[Ss]tr\.|[Ww]eg|[Pp]latz|[Aa]llee|[Gg]asse)"

PATTERNS = {
    "number and street": rf"{_NUMBER} (?:[NSEW]\.? )?(?:[A-Z][\w'\u2019-]{{0,30}}\.? ){{1,4}}(?:{_KINDS})"
    rf"(?: (?:NE|NW|SE|SW|[NSEW])\b)?{_FLAT}{_CITY}",
    "number and street, in small letters": rf"{_NUMBER} (?:[a-z]{{2,30}} ){{1,2}}(?:street|road|avenue|boulevard)\b",
    "number and street, in capitals": rf"{_NUMBER} (?:[NSEW]\.? )?(?:[A-Z][A-Z'\u2019-]{{1,30}} ){{1,3}}"
    r"(?:STREET|ROAD|AVENUE|BOULEVARD|LANE|TERRACE|CRESCENT|PARKWAY|HIGHWAY)\b",
    "street and number": r"\b(?:[A-ZÄÖÜ][a-zäöüß]{1,30}[ -]){0,3}(?:[A-ZÄÖÜ][a-zäöüß]{0,30})?"
    rf"{_GERMAN_KINDS} \d{{1,4}} ?[a-z]?\b(?:,? \d{{5}} [A-ZÄÖÜ][\w-]{{1,30}})?",
    "British postcode": r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b",
    "American state and ZIP code": r"\b[A-Z]{2} \d{5}(?:-\d{4})?\b",
    "post box": r"\b(?:P\. ?O\. ?Box|PO Box|Post Office Box|Postfach) \d{1,8}\b",
}
"""By what they find; capitals matter."""
