"""What counts as the address of a document, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.serving.errors import InvalidInput
from predictors.serving.fetching.target import parse_target

REFUSED = {
    "": "http:// or https://",
    "example.com": "http:// or https://",
    "//example.com": "http:// or https://",
    " http://example.com": "http:// or https://",
    "file:///etc/passwd": "http:// or https://",
    "ftp://example.com/": "http:// or https://",
    "gopher://example.com:80/": "http:// or https://",
    "javascript:alert(1)": "http:// or https://",
    "data:text/html,x": "http:// or https://",
    "unix:///run/docker.sock": "http:// or https://",
    "http:example.com": "no host",
    "http:///example.com": "no host",
    "https://": "no host",
    "http://exa mple.com": "no host",
    "http://a..b/": "no host",
    "http://.example.com/": "no host",
    "http://%31%32%37.0.0.1/": "no host",
    "http://127.0.0.1%00.example.com/": "no host",
    "http://[fe80::1%25eth0]/": "no host",
    "http://example.com\\.evil.example/": "no host",
    "http://user@example.com/": "name or password",
    "http://user:secret@example.com/": "name or password",
    "http://example.com:80@127.0.0.1/": "name or password",
    "http://good.example\\@127.0.0.1/": "name or password",
    "http://127.0.0.1:6379/": "ports 80 and 443",
    "http://example.com:22/": "ports 80 and 443",
    "http://example.com:8080/": "ports 80 and 443",
    "http://example.com:0/": "ports 80 and 443",
    "http://example.com:99999/": "ports 80 and 443",
    "http://example.com:0x50/": "not valid",
    "http://[::1": "not valid",
    "http://①②⑦.⓪.⓪.①/": "not valid",
    "http://0177.0.0.1/": "not valid",
    "http://😀.example/": "not valid",
    "http://exam\nple.com/": "not valid",
    "http://example.com/\r\nhost: evil.example": "not valid",
    "http://example.com/" + "a" * 2000: "at most 2000",
}


@pytest.mark.parametrize(("address", "said"), REFUSED.items(), ids=[repr(address)[:50] for address in REFUSED])
def test_refused(address: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        parse_target(address)
    assert caught.value.field == "url"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "host", "netloc"),
    [
        ("http://example.com", "example.com", "example.com"),
        ("HTTPS://EXAMPLE.COM:443/Terms?a=b#part", "example.com", "example.com"),
        ("http://example.com:443/", "example.com", "example.com:443"),
        ("https://example.com./", "example.com", "example.com"),
        ("https://bücher.example/", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("https://[2606:4700::1111]/", "2606:4700::1111", "[2606:4700::1111]"),
        ("http://xn--a.example/", "xn--a.example", "xn--a.example"),
        ("http://0x7f.1/", "0x7f.1", "0x7f.1"),  # the resolver knows what that is, and it is checked afterwards
        ("http://127。0。0。1/", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_read(address: str, host: str, netloc: str) -> None:
    target = parse_target(address)
    assert (target.host, target.url.netloc.decode()) == (host, netloc)
    assert not target.url.fragment


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/b", "https://example.com/b"),
        ("b?c", "https://example.com/a/b?c"),
        ("//other.example/", "https://other.example/"),
        ("http://other.example/#x", "http://other.example/"),
    ],
)
def test_redirects(location: str, leads_to: str) -> None:
    assert str(parse_target("https://example.com/a/").join(location).url) == leads_to


@pytest.mark.parametrize("location", ["file:///etc/passwd", "//user@x.example/", "http://x.example:22/", "http://[::1"])
def test_redirects_are_addresses_like_others(location: str) -> None:
    with pytest.raises(InvalidInput):
        parse_target("https://example.com/a/").join(location)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60) | st.text("htps:/.@[]%\\?#0127fx \t", max_size=30))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    for address in (text, f"http://{text}"):
        try:
            target = parse_target(address)
        except InvalidInput:
            continue
        assert target.join("/").host == target.host
        assert target.url.scheme in ("http", "https")
        assert not target.url.userinfo
        assert set(target.host) <= set("abcdefghijklmnopqrstuvwxyz0123456789.:-_")
