"""Fetching, over real sockets, from a small internet where each name leads where the test wants it."""

import asyncio
import gzip
import re
import time
from pathlib import Path

import pytest

from predictors.serving.errors import DeadlineExceeded, InvalidInput, Overloaded
from predictors.serving.fetching import fetcher as module
from predictors.serving.fetching.fetcher import Fetcher
from predictors.serving.fetching.resolver import Resolver
from tests.unit.serving.fetching.internet import MOST_BYTES, OTHER, PUBLIC, Answer, Internet, answer, run

TEXT = b"You pay 9 euros a month."
SITE = {"a.example": [[PUBLIC]]}


def fetched(pages: dict[str, Answer], address: str = "http://a.example/") -> tuple[Internet, module.Document]:
    async def work() -> tuple[Internet, module.Document]:
        async with Internet(SITE, pages).open() as internet:
            return internet, await internet.fetch(address)

    return run(work())


def refusal(
    pages: dict[str, Answer], address: str = "http://a.example/", names: dict[str, list[list[str]]] | None = None
) -> tuple[Internet, str]:
    async def work() -> tuple[Internet, str]:
        async with Internet(names or SITE, pages).open() as internet:
            with pytest.raises(InvalidInput) as caught:
                await internet.fetch(address)
            return internet, str(caught.value)

    return run(work())


def test_a_document_comes_as_it_is_and_nothing_is_told() -> None:
    internet, document = fetched(
        {"/terms?a=b": answer(TEXT, content_type="text/plain; charset=utf-8", set_cookie="a=b")},
        "http://a.example/terms?a=b#part",
    )
    assert document == ("http://a.example/terms?a=b", "text/plain; charset=utf-8", TEXT)
    assert internet.dialled == [(PUBLIC, 80)]
    [request] = internet.requests
    head = dict(line.lower().split(b": ", 1) for line in request.strip().split(b"\r\n")[1:])
    assert head.pop(b"host") == b"a.example"
    assert set(head) == {b"user-agent", b"accept", b"accept-encoding", b"connection"}


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.0.0.1.", "127.1", "0", "0.0.0.0", "2130706433", "017700000001", "0177.0.0.1",
        "0x7f000001", "0x7f.1", "0x7F.0x0.0x0.0x1", "127。0。0。1", "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "10.0.0.1",
        "192.168.0.1", "100.64.0.1", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]", "[fe80::1]", "[fd00:ec2::254]", "[ff02::1]", "224.0.0.1", "255.255.255.255", "[::ffff:93.184.216.34]",
    ],
)  # fmt: skip
def test_no_way_to_write_an_address_leads_inside(host: str) -> None:
    """With the system's own resolver, which reads each of these in its way."""

    def connect() -> None:
        pytest.fail("a connection was made")

    inside = Fetcher(MOST_BYTES, Resolver(), connect)  # type: ignore[arg-type]
    for scheme in ("http", "https"):
        with pytest.raises(InvalidInput, match=r"has no public address|address is not valid"):
            run(inside.fetch(f"{scheme}://{host}/latest/meta-data/", time.monotonic() + 60))


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.1.2.3"], ["::1"], ["fd00:ec2::254"], [PUBLIC, "10.0.0.1"], ["169.254.169.254", PUBLIC], []],
)
def test_a_name_with_any_address_inside_is_refused_as_one_that_is_not_there(addresses: list[str]) -> None:
    _, missing = refusal({}, "http://missing.example/")
    internet, said = refusal({}, "http://inside.example/", {"inside.example": [addresses]})
    assert said.replace("inside", "missing") == missing
    assert internet.dialled == []
    assert internet.requests == []


def test_the_connection_goes_to_what_was_checked_whatever_the_name_becomes() -> None:
    async def work() -> None:
        names = {"rebinding.example": [[PUBLIC], ["127.0.0.1"]]}
        async with Internet(names, {"/": answer(TEXT)}).open() as internet:
            assert (await internet.fetch("http://rebinding.example/")).data == TEXT
            assert internet.resolved == ["rebinding.example"]
            assert internet.dialled == [(PUBLIC, 80)]
            with pytest.raises(InvalidInput, match="no public address"):  # the next time it is looked at again
                await internet.fetch("http://rebinding.example/")
            assert internet.dialled == [(PUBLIC, 80)]

    run(work())


def test_a_name_that_changes_between_redirects_is_checked_again() -> None:
    names = {"a.example": [[PUBLIC], ["169.254.169.254"]]}
    internet, said = refusal({"/": answer(status="302 Found", location="/latest/meta-data/")}, names=names)
    assert "a.example has no public address" in said
    assert len(internet.requests) == 1


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://127.0.0.1/", "no public address"),
        ("//inside.example/", "no public address"),
        ("http://[::ffff:169.254.169.254]/", "no public address"),
        ("file:///etc/passwd", "http:// or https://"),
        ("gopher://a.example/", "http:// or https://"),
        ("http://a.example:6379/", "ports 80 and 443"),
        ("http://a.example@127.0.0.1/", "name or password"),
        ("http://[::1", "not valid"),
        ("/loop", "redirects more than 5 times"),
        ("http://\xff/", "not valid|no host|no public address"),
    ],
)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_leads_nowhere_else(location: str, said: str, status: str) -> None:
    names = {
        **SITE,
        "inside.example": [["10.0.0.1"]],
        "127.0.0.1": [["127.0.0.1"]],
        "::ffff:169.254.169.254": [["::ffff:169.254.169.254"]],
    }
    redirect = answer(b"secret", status, location="LOCATION").replace(b"LOCATION", location.encode("latin-1"))
    internet, sentence = refusal({"/": redirect, "/loop": redirect}, names=names)
    assert re.search(said, sentence), sentence
    assert set(internet.dialled) == {(PUBLIC, 80)}
    assert "secret" not in sentence


def test_redirects_are_followed() -> None:
    steps: dict[str, Answer] = {f"/{i}": answer(status="302 Found", location=f"/{i + 1}") for i in range(5)}
    _, document = fetched({**steps, "/5": answer(TEXT)}, "http://a.example/0")
    assert document.url == "http://a.example/5"
    assert document.data == TEXT


def test_the_certificate_must_be_for_the_name(tmp_path: Path) -> None:
    async def work() -> None:
        names = {"localhost": [[PUBLIC]], "other.example": [[PUBLIC]]}
        async with Internet(names, {"/": answer(TEXT)}).open(tmp_path) as internet:
            assert (await internet.fetch("https://localhost/")).data == TEXT
            with pytest.raises(InvalidInput, match="its certificate is not valid"):
                await internet.fetch("https://other.example/")
            assert internet.server_names == ["localhost", "other.example"]
            assert [request.split(b"\r\n")[1].lower() for request in internet.requests] == [b"host: localhost"]
            assert set(internet.dialled) == {(PUBLIC, 443)}

    run(work())


def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    async def work() -> None:
        names = {"a.example": [["1.1.1.1", OTHER]], "b.example": [["1.1.1.1", "1.0.0.1"]]}
        async with Internet(names, {"/": answer(TEXT)}).open() as internet:
            assert (await internet.fetch("http://a.example/")).data == TEXT
            assert internet.dialled == [("1.1.1.1", 80), (OTHER, 80)]
            with pytest.raises(InvalidInput, match=r"b\.example cannot be reached"):
                await internet.fetch("http://b.example/")

    run(work())


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (answer(b"a" * (MOST_BYTES + 1)), f"at most {MOST_BYTES} bytes"),
        (answer(gzip.compress(bytes(50_000_000)), content_encoding="gzip"), f"at most {MOST_BYTES} bytes"),
        (answer(gzip.compress(TEXT)[:-6], content_encoding="gzip"), "broke off"),
        (answer(gzip.compress(TEXT) + b"more", content_encoding="gzip"), "broke off"),
        (answer(b"no gzip", content_encoding="gzip"), "broke off"),
        (answer(TEXT, content_encoding="br"), "not asked for"),
        (answer(TEXT, content_encoding="gzip, gzip"), "not asked for"),
        (answer(TEXT, content_type="image/png"), "no document at this address"),
        (answer(TEXT, content_type="Video/mp4"), "no document at this address"),
        (answer(TEXT, status="404 Not Found"), "answered with status 404"),
        (answer(TEXT, status="401 Unauthorized", www_authenticate="Basic"), "answered with status 401"),
        (answer(TEXT, status="206 Partial Content"), "answered with status 206"),
        (answer(TEXT, status="302 Found"), "answered with status 302"),
        (answer(TEXT).replace(b"24", b"99"), "broke off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no answer that can be understood"),
        (b"", "no answer that can be understood"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: " + b"b" * 300_000, "no answer that can be understood"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "broke off"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_what_is_no_document_is_refused(page: bytes, said: str) -> None:
    _, sentence = refusal({"/": page})
    assert said in sentence


@pytest.mark.parametrize("size", [0, 1, MOST_BYTES])
def test_a_document_may_be_compressed_and_as_large_as_is_allowed(size: int) -> None:
    data = b"a" * size
    assert fetched({"/": answer(gzip.compress(data), content_encoding="gzip")})[1].data == data
    assert fetched({"/": answer(data)})[1].data == data


def test_a_server_that_never_ends_is_left() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def work() -> None:
        async with Internet(SITE, {"/": drip, "/text": answer(TEXT)}).open() as internet:
            with pytest.raises(DeadlineExceeded, match="before the deadline"):
                await internet.fetch("http://a.example/", 0.3)
            assert (await internet.fetch("http://a.example/text")).data == TEXT

    run(work())


def test_few_documents_are_fetched_at_once() -> None:
    async def work() -> None:
        release = asyncio.Event()

        async def wait(writer: asyncio.StreamWriter) -> None:
            await release.wait()
            writer.write(answer(TEXT))

        async with Internet(SITE, {"/": wait}).open() as internet:
            running = [asyncio.create_task(internet.fetch("http://a.example/")) for _ in range(8)]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded, match="try again") as caught:
                await internet.fetch("http://a.example/")
            assert caught.value.retry_after_seconds > 0
            left = running.pop()
            left.cancel()
            await asyncio.wait([left])
            running.append(asyncio.create_task(internet.fetch("http://a.example/")))  # whoever leaves makes room
            release.set()
            assert [document.data for document in await asyncio.gather(*running)] == [TEXT] * 8

    run(work())


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetched({"/": answer(TEXT)})[1].data == TEXT
