"""What browsers of other origins are told."""

import asyncio
from typing import Any

import pytest

from predictors.serving.app.middleware.cors import CorsMiddleware
from predictors.serving.protocols.http import Header, Message, Receive, Request, Scope, Send
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.call import RequestIds

SHOP, OTHER = b"https://shop.example", b"https://b.example"
ALLOW_ORIGIN = b"access-control-allow-origin"
ALL = "https://shop.example, https://b.example"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"answer"})


async def _ask(origins: str, method: str, headers: list[Header]) -> tuple[int, list[Header], bytes]:
    scope: dict[str, Any] = {"method": method, "path": "/v1/models/iris:predict", "headers": headers}
    scope["request"] = Request(scope, RequestIds().choose, 1024)
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        sent.append(message)

    await CorsMiddleware(app, ServerSettings(cors_origins=origins).cors_origins)(scope, receive, send)
    start, body = sent
    return start["status"], start["headers"], body.get("body", b"")


def ask(method: str = "POST", origins: str = ALL, **headers: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    """The status, the headers and the body of the answer to one request."""
    named = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    status, told, body = asyncio.run(_ask(origins, method, named))
    assert len(dict(told)) == len(told), "a header stands twice"
    return status, dict(told), body


@pytest.mark.parametrize("origin", [SHOP, OTHER])
def test_an_origin_that_is_named_may_read_the_answer(origin: bytes) -> None:
    status, headers, body = ask(origin=origin)
    assert (status, body) == (201, b"answer")
    assert headers[ALLOW_ORIGIN] == origin
    assert headers[b"vary"] == b"origin"
    exposed = headers[b"access-control-expose-headers"].split(b", ")
    assert exposed == [
        b"x-request-id", b"x-model-version", b"x-cache", b"x-served-by", b"retry-after", b"ratelimit",
        b"ratelimit-policy", b"www-authenticate",
    ]  # fmt: skip


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
    assert ask(origin=origin) == (201, {b"vary": b"origin"}, b"answer")


def test_without_an_origin_caches_are_told_that_it_matters_all_the_same() -> None:
    assert ask()[1] == {b"vary": b"origin"}
    assert ask(origins="*")[1] == {b"vary": b"origin"}


@pytest.mark.parametrize("origin", [SHOP, b"https://evil.example", b"null"])
def test_a_star_is_any_origin(origin: bytes) -> None:
    assert ask(origins="*", origin=origin)[1][ALLOW_ORIGIN] == origin


def test_a_preflight_is_answered() -> None:
    status, headers, body = ask(
        "OPTIONS",
        origin=SHOP,
        access_control_request_method=b"POST",
        access_control_request_headers=b"content-type,x-request-id",
    )
    assert (status, body) == (200, b"")
    assert headers.pop(ALLOW_ORIGIN) == SHOP
    assert headers.pop(b"vary") == b"origin"
    assert headers.pop(b"access-control-expose-headers")
    assert headers == {
        b"access-control-allow-headers": b"content-type,x-request-id",
        b"access-control-allow-methods": b"GET, POST",
        b"access-control-max-age": b"600",
        b"content-length": b"0",
    }


def test_headers_are_allowed_only_where_they_are_asked_for() -> None:
    status, headers, _ = ask("OPTIONS", origin=SHOP, access_control_request_method=b"POST")
    assert status == 200
    assert b"access-control-allow-headers" not in headers


def test_a_preflight_tells_an_origin_that_may_not_call_nothing() -> None:
    status, headers, _ = ask("OPTIONS", origin=b"https://evil.example", access_control_request_method=b"POST")
    assert status == 200
    assert ALLOW_ORIGIN not in headers


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD"])
def test_only_options_is_a_preflight(method: str) -> None:
    assert ask(method, origin=SHOP, access_control_request_method=b"POST")[0] == 201


def test_plain_options_is_no_preflight() -> None:
    assert ask("OPTIONS", origin=SHOP)[0] == 201
