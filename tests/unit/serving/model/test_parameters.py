"""Parameters: a model's own, those for servers, and unknown ones."""

import pytest

from predictors.serving.errors import InvalidInput
from predictors.serving.model.parameters import NO_PARAMETERS, own_parameters


def test_what_clients_of_other_servers_send_is_left_out() -> None:
    for_servers = dict.fromkeys(NO_PARAMETERS["properties"], 1)
    assert own_parameters({**for_servers, "mode": "fast"}, ("mode", "seed")) == {"mode": "fast"}
    assert own_parameters(for_servers, ()) == {}


def test_a_model_may_have_one_of_that_name_itself() -> None:
    assert own_parameters({"content_type": "text/html"}, ("content_type",)) == {"content_type": "text/html"}


def test_unknown_ones_are_named_with_what_is_allowed() -> None:
    with pytest.raises(InvalidInput, match=r'^unknown parameter "tempreture"; allowed are temperature, seed$'):
        own_parameters({"seed": 1, "tempreture": 1}, ("temperature", "seed"))
    with pytest.raises(InvalidInput, match=r'^unknown parameter "x{64}"; this model takes none$'):
        own_parameters({"x" * 1_000: 1}, ())
