"""Numbers of list items as letters and Roman numerals."""

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_MOST = 3999


def letters(number: int) -> str:
    """1 → "a", 26 → "z", 27 → "aa"; digits beyond the usual range."""
    if not 0 < number <= _MOST:
        return str(number)
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def roman(number: int) -> str:
    """4 → "iv"; digits beyond the usual range."""
    if not 0 < number <= _MOST:
        return str(number)
    text = ""
    for value, numeral in _ROMAN:
        count, number = divmod(number, value)
        text += numeral * count
    return text
