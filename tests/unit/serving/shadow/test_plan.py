"""What a shadow file says."""

import json
from typing import Any

import pytest

from predictors.serving.shadow.plan import Plan, Target, parse_plan

URL = "http://iris-canary-predictor.shop.svc.cluster.local"


def plan_of(**target: Any) -> bytes:
    return json.dumps({"models": {"iris": target}}).encode()


@pytest.mark.parametrize("percent", [1, 10, 12.5, 100])
@pytest.mark.parametrize(
    "url", [URL, "https://iris.example:8443/base/", "http://10.0.0.7:8080", "http://[fd00::7]:8080", "http://a_b"]
)
def test_a_plan_names_canaries_and_shares(url: str, percent: float) -> None:
    assert parse_plan(plan_of(url=url, percent=percent)) == Plan(models={"iris": Target(url=url, percent=percent)})


@pytest.mark.parametrize("raw", [b"{}", b'{"models": {}}'])
def test_a_plan_may_name_none(raw: bytes) -> None:
    assert parse_plan(raw) == Plan()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://iris", "file:///etc/passwd", "iris", "//iris", "http://", "http:///x", "http://user:secret@iris",
        "http://iris?x=1", "http://iris#x", "http://iris:99999999", "http://iris\n", "http://iris\r\nHost: x", "http://ir is",
        "HTTP://iris/" + "x" * 3000, "", None, 7,
    ],
)  # fmt: skip
def test_another_kind_of_url_is_refused(url: object) -> None:
    with pytest.raises(ValueError, match=r"^models\.iris\.url: "):
        parse_plan(plan_of(url=url, percent=10))


@pytest.mark.parametrize("percent", [0, 0.5, 100.5, 101, -1, True, "10", None, [10]])
def test_a_percent_out_of_range_is_refused(percent: object) -> None:
    with pytest.raises(ValueError, match=r"^models\.iris\.percent: "):
        parse_plan(plan_of(url=URL, percent=percent))


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999"])
def test_a_percent_that_is_no_number_is_refused(number: bytes) -> None:
    with pytest.raises(ValueError, match=r"^models\.iris\.percent: "):
        parse_plan(plan_of(url=URL, percent=10).replace(b"10", number))


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b'{"models": {"iris": {"url": "http://ir', b"\x00\xff\xfe", b"[]", b"null", b"7", b'{"models": []}',
        b'{"models": {"iris": "http://iris"}}', b'{"model": {}}', b"[" * 100_000, b'{"models": {"\\ud800": {}}}',
        plan_of(url=URL), plan_of(percent=10), plan_of(url=URL, percent=10, share=3),
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_sentence(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"\A.+\Z"):  # a dot is no end of a line
        parse_plan(raw)


def test_the_sentence_does_not_quote_the_value() -> None:
    with pytest.raises(ValueError, match="url") as caught:
        parse_plan(plan_of(url="http://user:secret@iris", percent=10))
    assert "secret" not in str(caught.value)
