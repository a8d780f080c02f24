"""Bodies: keys that are there twice, however they are spelt, and too many fields."""

import pytest

from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.protocols.bounds import MOST_FIELDS, MOST_PARAMETERS
from predictors.serving.protocols.json_body import parameters_of, parse_object


@pytest.mark.parametrize(
    "body",
    [
        '{"instances": 1, "instances": 2}',
        '{"instances": 1, "\\u0069nstances": 2}',
        '{"a": {"instances": 1, "b": [{}], "instances": 2}}',
        '{"instances": 1, "a": {"instances": 2}, "instances" \n: 3}',
        '{"model": 1, "model": 2, "instances": 3}',
    ],
)
def test_a_key_that_is_there_twice_is_refused(body: str) -> None:
    with pytest.raises(InvalidInput, match=r'"(instances|model)" appears twice'):
        parse_object(body.encode(), "instances", "model")


@pytest.mark.parametrize(
    "body",
    [
        '{"instances": ["the field \\"instances\\": twice", "instances", "{\\"instances\\": 1}"]}',
        '{"instances": [{"instances": 1}, {"instances": 2}]}',
        '{"a": {"instances": 1}, "instances": 2}',
        '{"instances": "\\u0041\\\\", "model": "instances"}',
        '{"other": 1, "other": 2, "instances": "\\u0041"}',
    ],
)
def test_a_key_in_several_objects_or_in_a_text_is_not_there_twice(body: str) -> None:
    assert "instances" in parse_object(body.encode(), "instances", "model")


def test_fields_and_parameters_are_counted() -> None:
    fields = ", ".join(f'"{number}": 1' for number in range(MOST_FIELDS))
    assert len(parse_object(f"{{{fields}}}".encode(), "instances")) == MOST_FIELDS
    with pytest.raises(TooLarge, match=f"the body has {MOST_FIELDS + 1} entries; at most {MOST_FIELDS} are allowed"):
        parse_object(f'{{{fields}, "one more": 1}}'.encode(), "instances")
    parameters = dict.fromkeys(map(str, range(MOST_PARAMETERS)), 1)
    assert parameters_of({"parameters": parameters}) == parameters
    with pytest.raises(TooLarge, match='"parameters" has'):
        parameters_of({"parameters": parameters | {"one more": 1}})
