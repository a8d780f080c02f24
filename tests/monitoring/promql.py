"""The names of metrics in PromQL."""

import re

_ASIDE = re.compile(
    r"\"[^\"]*\"|'[^']*'"  # strings
    r"|\{[^}]*\}|\[[^\]]*\]"  # selectors, ranges
    r"|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"  # lists of labels
)
_WORD = re.compile(r"\b[a-zA-Z_:][\w:]*(?!\w|\s*\()")
_OPERATORS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"}
_OPERATORS |= {"sum", "max", "min", "count", "avg", "group"}


def metrics_in(expr: str) -> set[str]:
    """The metrics that an expression reads."""
    bare = expr
    while (shorter := _ASIDE.sub(" ", bare, count=1)) != bare:
        bare = shorter
    return {word for word in _WORD.findall(bare) if word not in _OPERATORS}
