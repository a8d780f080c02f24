import copy
import pickle

import pytest

from predictors.client import errors
from predictors.client.errors import ClientError, InvalidInput

KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ClientError)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_one_sentence_that_says_what_to_do(kind: type[ClientError]) -> None:
    error = kind("it failed", status=500, request_id="a")
    error.attempts = 3
    assert str(error) == f"it failed{'; ' if kind.advice else ''}{kind.advice} (request a, 3 attempts)"
    assert kind.advice or kind in (ClientError, errors.ConfigurationError)
    assert str(kind("it failed")).startswith("it failed")


@pytest.mark.parametrize("kind", KINDS)
def test_they_can_be_copied_and_sent_to_other_processes(kind: type[ClientError]) -> None:
    error = kind("it failed", status=500, retry_after=2.0, request_id="a")
    if isinstance(error, InvalidInput):
        error.field = "x"
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (type(other), str(other), vars(other)) == (kind, str(error), vars(error))
