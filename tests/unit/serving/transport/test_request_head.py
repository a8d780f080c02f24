"""What may stand in the head of a request."""

import pytest

from predictors.serving.transport.request_head import check_head, parse_target


@pytest.mark.parametrize(
    "host",
    [
        b"", b"example.com", b"example.com:8080", b"example.com:", b"127.0.0.1", b"my_service.ns.svc", b"xn--a%20b", b"[::1]:80",
        b"[::ffff:10.0.0.1]", b"[v1.a:b]", b"EXAMPLE.com.",
    ],
)  # fmt: skip
def test_hosts(host: bytes) -> None:
    check_head("1.1", [(b"host", host)], {b"host": host})


@pytest.mark.parametrize(
    "host",
    [
        b"a b", b"a/b", b"a b/c@d", b"user@host", b"a:b", b"a:80:90", b"::1", b"[::g]", b"[:::]", b"[::1", b"[]", b"a%2", b"a?b",
        b"a#b", b"a\\b", b'"a"', b"<a>", b"a,b\x00", "ä.example".encode(),
    ],
)  # fmt: skip
def test_what_is_no_host(host: bytes) -> None:
    with pytest.raises(ValueError, match="host"):
        check_head("1.1", [(b"host", host)], {b"host": host})


def test_targets() -> None:
    assert parse_target(b"/a%20b?c=d#e", b"GET") == ("/a b", b"/a%20b", b"c=d")
    assert parse_target(b"http://example.com/a?b", b"GET") == ("/a", b"/a", b"b")
    assert parse_target(b"*", b"OPTIONS") == ("*", b"*", b"")
    with pytest.raises(ValueError, match="path"):
        parse_target(b"*", b"GET")
