"""What browsers of other origins are told."""

import pytest

from predictors.serving.app.middleware.cors import Cors
from predictors.serving.protocols.http import Request
from predictors.serving.transport.http_wire import Header
from predictors.serving.settings import ServerSettings

SHOP, OTHER = b"https://shop.example", b"https://b.example"
ALLOW_ORIGIN = b"access-control-allow-origin"


def request(method: str = "POST", **headers: bytes) -> Request:
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return Request(method, "/v1/models/iris:predict", named, 1024, 60.0, lambda: None)


def cors(origins: str = "https://shop.example, https://b.example") -> Cors:
    return Cors(ServerSettings(cors_origins=origins).cors_origins)


def told(cors: Cors, request: Request) -> dict[bytes, bytes]:
    headers: list[Header] = [*cors.headers(request)]
    assert len(dict(headers)) == len(headers), "a header stands twice"
    return dict(headers)


@pytest.mark.parametrize("origin", [SHOP, OTHER])
def test_an_origin_that_is_named_may_read_the_answer(origin: bytes) -> None:
    headers = told(cors(), request(origin=origin))
    assert headers[ALLOW_ORIGIN] == origin
    assert headers[b"vary"] == b"origin"
    exposed = headers[b"access-control-expose-headers"].split(b", ")
    assert exposed == [b"x-request-id", b"x-model-version", b"x-cache", b"retry-after"]


@pytest.mark.parametrize(
    "origin",
    [
        b"https://evil.example",
        b"http://shop.example",
        b"https://shop.example:8443",
        b"https://shop.example.evil.example",
        b"https://shop.exampl",
        b"https://shop.example, https://b.example",
        b"null",
        b"",
        b"*",
        b"\xff",
    ],
)
def test_any_other_origin_may_not(origin: bytes) -> None:
    assert told(cors(), request(origin=origin)) == {b"vary": b"origin"}


def test_without_an_origin_caches_are_told_that_it_matters_all_the_same() -> None:
    assert told(cors(), request()) == {b"vary": b"origin"}
    assert told(cors("*"), request()) == {b"vary": b"origin"}


@pytest.mark.parametrize("origin", [SHOP, b"https://evil.example", b"null"])
def test_a_star_is_any_origin(origin: bytes) -> None:
    assert told(cors("*"), request(origin=origin))[ALLOW_ORIGIN] == origin


def test_a_preflight_is_answered() -> None:
    asks = request(
        "OPTIONS",
        origin=SHOP,
        access_control_request_method=b"POST",
        access_control_request_headers=b"content-type,x-request-id",
    )
    answer = cors().preflight(asks)
    assert answer is not None
    assert (answer.status, answer.body, answer.stream) == (200, b"", None)
    assert sorted(answer.headers) == [
        (b"access-control-allow-headers", b"content-type,x-request-id"),
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-max-age", b"600"),
    ]


def test_headers_are_allowed_only_where_they_are_asked_for() -> None:
    answer = cors().preflight(request("OPTIONS", origin=SHOP, access_control_request_method=b"POST"))
    assert answer is not None
    assert b"access-control-allow-headers" not in dict(answer.headers)


def test_whether_the_origin_may_call_is_told_beside_the_preflights_answer() -> None:
    asked = request("OPTIONS", origin=b"https://evil.example", access_control_request_method=b"POST")
    answer = cors().preflight(asked)
    assert answer is not None
    assert ALLOW_ORIGIN not in dict(answer.headers)
    assert ALLOW_ORIGIN not in told(cors(), asked)


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD"])
def test_only_options_is_a_preflight(method: str) -> None:
    assert cors().preflight(request(method, origin=SHOP, access_control_request_method=b"POST")) is None


def test_plain_options_is_no_preflight() -> None:
    assert cors().preflight(request("OPTIONS", origin=SHOP)) is None


def test_answers_to_two_preflights_share_nothing() -> None:
    asks = request("OPTIONS", origin=SHOP, access_control_request_method=b"POST")
    policy = cors()
    first, second = policy.preflight(asks), policy.preflight(asks)
    assert first is not None
    assert second is not None
    first.headers.append((b"x-request-id", b"1"))
    assert (b"x-request-id", b"1") not in second.headers
