"""Which models are shadowed, by which canary, and how much: what the shadow file says.

It is a file and not an endpoint since the port is reached by everyone who may ask the models. Whoever could set the
canary there could have everybody's requests copied to any address. Who may write a mounted ConfigMap is up to
Kubernetes' access control.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

# Without a user, a password, a query or a fragment, none of which belongs there.
_URL = r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$"


class Target(BaseModel):
    """A canary, and the share of the requests that it gets copies of.

    Args:
        url: the base of its V2 REST API, such as ``http://iris-canary-predictor.shop``.
        percent: share of the requests, from 1 to 100.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(max_length=2048, pattern=_URL)]
    percent: Annotated[float, Field(strict=True, ge=1, le=100, allow_inf_nan=False)]


class Plan(BaseModel):
    """The canary of each shadowed model, by the model's name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, Target] = {}


def parse_plan(raw: bytes) -> Plan:
    """Parse the content of a shadow file.

    Raises:
        ValueError: it is not valid, naming the field at fault.
    """
    try:
        return Plan.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:128] or "the document"
        raise ValueError(f"{where}: {first['msg']}") from None
