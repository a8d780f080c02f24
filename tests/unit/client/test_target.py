import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from predictors.client import Client, ConfigurationError, Policy, Tls
from predictors.client.policy.settings import BreakerPolicy
from predictors.client.setup import choose_request_id
from predictors.client.target import Target, TokenSource


@pytest.mark.parametrize(
    ("url", "target", "address"),
    [
        ("http://a", Target("http", "a", 80, ""), "a"),
        ("http://a:8080/", Target("http", "a", 8080, ""), "a:8080"),
        ("https://A.b/serving/x/", Target("https", "a.b", 443, "/serving/x"), "a.b"),
        ("http://[::1]:1", Target("http", "::1", 1, ""), "[::1]:1"),
        ("grpc://a:8081", Target("grpc", "a", 8081, ""), "a:8081"),
        ("grpcs://a", Target("grpcs", "a", 443, ""), "a:443"),
    ],
)
def test_urls(url: str, target: Target, address: str) -> None:
    assert Target.parse(url) == target
    assert target.address == address


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "should be http://"),
        ("a:80", "should be http://"),
        ("ftp://a", "should be http://"),
        ("http://", "should be http://"),
        ("http://a b", "should be http://"),
        ("http://a/\r\nx", "should be http://"),
        ("http://ä", "should be http://"),
        ("http://a:x", "cannot be read"),
        ("http://a:99999", "cannot be read"),
        ("http://[::1", "cannot be read"),
        ("http://me:secret@a", "has a user"),
        ("htps://me:secret@a", "the URL should be http://"),
        ("me:secret@a", "the URL should be http://"),
        ("http://me:secret@a b", "the URL should be http://"),
        ("htps://a?token=secret", "the URL should be http://"),
        ("http://me:secret@[::1", "the URL cannot be read"),
        ("http://me:secret/@a", "the URL cannot be read"),
        ("http://a/?x=1", "has a user, a query"),
        ("grpc://a:1/path", "gRPC has no paths"),
    ],
)
def test_what_is_no_url(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        Target.parse(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("no_proxy", "proxy"),
    [("a.b:81", ""), ("a.b", ""), ("b", ""), ("a.b:82", "http://proxy"), ("c", "http://proxy")],
)
def test_what_no_proxy_names(monkeypatch: pytest.MonkeyPatch, no_proxy: str, proxy: str) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert Target.parse("http://a.b:81").proxy() == proxy


class TestTokens:
    def test_none(self) -> None:
        assert TokenSource(None).header() == ""

    def test_a_function_is_asked_each_time(self) -> None:
        tokens = iter("ab")
        source = TokenSource(lambda: next(tokens))
        assert [source.header(), source.header()] == ["Bearer a", "Bearer b"]

    def test_a_file_is_read_again_when_it_changes(self, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text("first\n")
        source = TokenSource(path)
        assert source.header() == "Bearer first"
        path.write_text("other\n")  # as long as before
        os.utime(path, ns=(1, 1))
        assert source.header() == "Bearer other"
        (tmp_path / "next").write_text("third")
        (tmp_path / "next").replace(path)
        assert source.header() == "Bearer third"

    def test_a_file_that_is_gone_is_said_so(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="token cannot be read: No such file"):
            TokenSource(tmp_path / "token").header()

    @pytest.mark.parametrize("token", ["", " ", "a b", "a\r\nx: y", "ä", "a\0"])
    def test_what_is_no_token_is_not_shown(self, token: str, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text(token, "utf-8")
        for source in (TokenSource(f"{token}"), TokenSource(lambda: token), TokenSource(path)):
            with pytest.raises(ConfigurationError, match="token") as caught:
                source.header()
            assert "x: y" not in str(caught.value)


@pytest.mark.parametrize("content", [None, "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_tls_files_that_cannot_be_used(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    for tls in (Tls(ca_file=path), Tls(certificate_file=path)):
        for url in ("https://a", "grpcs://a"):
            with pytest.raises(ConfigurationError, match=r"the TLS files .*ca.pem cannot be used"):
                Client(url, tls=tls)


def test_tls_checks_names_and_certificates() -> None:
    context = Tls().context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"timeout": -1}, "timeout is -1; 0 or more is expected"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"attempts": 0}, "attempts is 0; more than 0"),
        ({"hedge_after": -0.1}, "hedge_after"),
        ({"backoff_base": 0}, "backoff_base"),
    ],
)
def test_policies_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Policy(**options)


def test_breakers_that_cannot_be() -> None:
    with pytest.raises(ConfigurationError, match="window is 0"):
        BreakerPolicy(window=0)


def test_what_is_wrong_with_a_call_is_said_before_it_is_sent() -> None:
    with Client("http://127.0.0.1:1") as client:
        for timeout in (-1, float("nan")):
            with pytest.raises(ConfigurationError, match="give seconds, 0 or more"):
                client.iris([[1, 2, 3, 4]], timeout=timeout)
        with pytest.raises(ConfigurationError, match="a request id has"):
            client.iris([[1, 2, 3, 4]], request_id="a\r\nb")
        with pytest.raises(ConfigurationError, match="as long as each other"):
            client.iris([[1, 2, 3, 4], [1]])


def test_request_ids() -> None:
    assert choose_request_id("a-1") == "a-1"
    assert choose_request_id("") != choose_request_id("")
