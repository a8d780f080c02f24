"""The order of versions."""

import re
from typing import TypeAlias

_PIECES = re.compile(r"\d+|[a-z]+")
_Pieces: TypeAlias = tuple[tuple[int, int, str], ...]
VersionKey: TypeAlias = tuple[_Pieces, bool, _Pieces, str]


def version_key(version: str) -> VersionKey:
    """A key that sorts versions as people count: 2 before 10, 1.9 before 1.10, v1 before v2.

    What follows a hyphen comes before the version itself, as in Semantic Versioning (item 11): 2.0-rc1 before 2.0.
    """
    core, hyphen, rest = version.partition("-")
    return _pieces(core), not hyphen, _pieces(rest), version


def _pieces(text: str) -> _Pieces:
    """Numbers, which compare as such and come after words."""
    return tuple((1, int(piece), "") if piece.isdigit() else (0, 0, piece) for piece in _PIECES.findall(text.lower()))
