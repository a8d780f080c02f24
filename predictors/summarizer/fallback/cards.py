"""Patterns of card numbers that Presidio's own one does not have."""

SEPARATORS = (" ", "-", ".", "\r", "\n")
"""What may stand between groups of digits."""

_GAP = r"(?: {0,2}\r?\n {0,2}| {1,2}|[.-])?"
_MASTERCARD_2 = r"(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)"

CARD_PATTERNS = {
    "groups of four": rf"\b(?:[456]\d{{3}}|{_MASTERCARD_2}|35\d\d){_GAP}\d{{4}}{_GAP}\d{{4}}{_GAP}\d{{4}}\b",
    "American Express": rf"\b3[47]\d\d{_GAP}\d{{6}}{_GAP}\d{{5}}\b",
}
"""By their form; the checksum is not part of them."""
