"""Who calls, and what it may use."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from predictors.serving.errors import Forbidden

EVERY_MODEL = "*"
REPOSITORY = "+repository"
"""The right to load, unload and list models. No model can have this name."""
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Grant(NamedTuple):
    """What a caller may use.

    Args:
        models: names of models; None is all of them.
        repository: whether it may load, unload and list models.
    """

    models: frozenset[str] | None
    repository: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller.

    Args:
        key: tells it from all others, such as ``token:shop``; limits count by it.
        grant: what it may use.
    """

    key: str
    grant: Grant

    def may_use(self, model: str) -> bool:
        """Whether it may use a model."""
        models = self.grant.models
        return models is None or model in models

    def require_model(self, model: str) -> None:
        """Pass only if it may use a model, whether or not there is one of that name.

        Raises:
            Forbidden: it may not.
        """
        models = self.grant.models
        if models is not None and model not in models:
            raise Forbidden(f'the token does not allow the model "{model[:128]}"')

    def require_repository(self) -> None:
        """Pass only if it may load, unload and list models.

        Raises:
            Forbidden: it may not.
        """
        if not self.grant.repository:
            raise Forbidden(f"the token does not allow the model repository; it takes the right {REPOSITORY}")


ANYONE = Caller("", Grant(None, True))
"""Who calls a server that asks nobody who they are."""


def parse_grant(words: Iterable[str]) -> Grant:
    """Read what a caller may use: names of models, ``*`` for all, and ``+repository``.

    Raises:
        ValueError: a word is none of these.
    """
    words = set(words)
    names = words - {EVERY_MODEL, REPOSITORY}
    for name in names:
        if not _MODEL.fullmatch(name):
            raise ValueError(f"models are names with commas between them, {EVERY_MODEL} for all, or {REPOSITORY}")
    return Grant(None if EVERY_MODEL in words else frozenset(names), REPOSITORY in words)


def claimed_grant(claim: object) -> Grant:
    """Read the same from a claim of a JWT: a list, or words with spaces between them, as scopes are written.

    Words that are no right here, such as ``openid``, name models that do not exist: they allow nothing.
    """
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    known = {word for word in words if isinstance(word, str)}
    return Grant(None if EVERY_MODEL in known else frozenset(known), REPOSITORY in known)
