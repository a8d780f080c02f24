"""Types of fields that pydantic lacks; `refusals` turns their errors into sentences."""

from operator import itemgetter
from typing import Any

import orjson
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Range:
    """Bounds of an ``int`` or a ``float``, both allowed. Booleans are not numbers, and 5.0 is whole."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        number: Any = {**handler(source), "ge": self._low, "le": self._high, "strict": True}
        if source is int:
            number = core_schema.no_info_before_validator_function(_whole, number)
        words = f"a {'whole ' if source is int else ''}number from {self._low} to {self._high}"
        return core_schema.custom_error_schema(number, "number", custom_error_message=words)


class Member:
    """An object that stands for one of its members; where there are 100,000, this saves a third of the time."""

    def __init__(self, form: type, name: str) -> None:
        self._form, self._name = form, name

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(itemgetter(self._name), handler.generate_schema(self._form))


class Unsupported:
    """A field that cannot be honoured: refused, unless it is null or one of these values, which ask for nothing."""

    def __init__(self, *neutral: Any) -> None:
        self._neutral = neutral

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"enum": [*self._neutral, None]}

    def _check(self, given: Any) -> None:
        if given is not None and not any(_same(given, value) for value in self._neutral):
            values = " or ".join(orjson.dumps(value).decode() for value in self._neutral)
            advice = f"leave it out or send {values}" if values else "leave it out"
            raise PydanticCustomError("unsupported", "{advice}", {"advice": advice})


def _whole(value: Any) -> Any:
    # Beyond 64 bits it is out of any range, and an integer of 300 digits is no help in an error message.
    return int(value) if type(value) is float and value.is_integer() and abs(value) <= 2**63 else value


def _same(given: Any, value: Any) -> bool:
    """Compare as JSON does: 1.0 is 1, and true is not."""
    return bool(given == value) and (type(given) is bool) == (type(value) is bool)
