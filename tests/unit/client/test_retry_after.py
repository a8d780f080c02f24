import math
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.client.policy.retry_after import full_jitter, parse_retry_after

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 7 ", 7),
        ("9" * 5000, math.inf),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("soon", None),
        ("٣", None),
        (formatdate(NOW + 60, usegmt=True), 60),
        (formatdate(NOW - 60, usegmt=True), 0),
        ("Tuesday, 14-Nov-23 22:14:20 GMT", 60),  # obsolete, but to be understood (RFC 9110, 5.6.7)
        ("Tue Nov 14 22:14:20 2023", 60),
        ("Tue, 99 Nov 2023 22:14:20 GMT", None),
        ("Tue, 14 Nov 99999 22:14:20 GMT", None),
    ],
)
def test_values(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_none(value: str) -> None:
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or seconds >= 0


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_jitter_is_within_its_bounds(attempt: int, random: float) -> None:
    assert 0 <= full_jitter(attempt, 0.1, 2.0, random) <= 2.0
    assert full_jitter(0, 0.1, 2.0, random) <= 0.1
