"""The page over HTTP: what is served, to whom, and what the server fetches for it."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from predictors.summarizer.text.topics import TOPICS
from tests.live import ROOT, LiveServer
from tests.ui.conftest import PAGES, PROGRAMS_TOKEN

pytestmark = pytest.mark.llama
FOLDER = ROOT / "predictors/serving/app/ui_page"
FETCH = {"url": "http://a.example/terms", "model": "summarizer"}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def client(page_server: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=page_server.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(guarded_server: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=guarded_server.url, timeout=60) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_browsers_are_led_to_the_page_and_programs_are_not(client: httpx.Client, method: str) -> None:
    for accept in ("*/*", "application/json", ""):
        answer = client.request(method, "/", headers={"accept": accept})
        assert answer.status_code == 200
        assert answer.text == ('{"status":"alive"}' if method == "GET" else "")
        assert answer.headers["vary"] == "accept"
    led = client.request(method, "/", headers={"accept": BROWSER})
    assert (led.status_code, led.headers["location"], led.headers["vary"]) == (303, "ui", "accept")


def test_it_is_off_by_default(server: LiveServer) -> None:
    with httpx.Client(base_url=server.url) as client:
        assert client.get("/", headers={"accept": BROWSER}).json() == {"status": "alive"}
        for path in ("/ui", "/ui/main.js", "/ui/features"):
            assert client.get(path).status_code == 404
        assert client.post("/ui/fetch", json=FETCH).status_code == 404


def loaded_files() -> list[str]:
    return sorted(path.name for path in FOLDER.iterdir() if path.name != "index.html")


def test_what_the_page_loads_is_there_and_nothing_else(client: httpx.Client) -> None:
    page = client.get("/ui")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    html = page.text
    wanted = {target.removeprefix("ui/") for target in re.findall(r'(?:src|href)="(ui/[^"]+)"', html)}
    for name in loaded_files():
        answer = client.get(f"/ui/{name}")
        assert answer.status_code == 200
        types = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
        assert answer.headers["content-type"] == types[Path(name).suffix]
        wanted |= set(re.findall(r'from "\./([\w.]+)"', answer.text))
    assert sorted(wanted) == loaded_files()
    for path in ("/ui/index.html", "/ui/", "/ui/absent.js", "/ui/../server.py", "/ui/..%2froutes.py"):
        assert client.get(path).status_code == 404


def test_nothing_comes_from_elsewhere_and_no_markup_is_made(client: httpx.Client) -> None:
    for path in ("/ui", *(f"/ui/{name}" for name in loaded_files())):
        answer = client.get(path)
        text = re.sub(r'https://example\.com/terms|xmlns="http://www\.w3\.org/2000/svg"', "", answer.text)
        assert not re.search(r"""https?://[^`"$]|["'(=]\s*//\w""", text), path
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|style=|<script>|\son\w+=\"", text
        )
        policy = dict(rule.strip().split(" ", 1) for rule in answer.headers["content-security-policy"].split(";"))
        assert policy.pop("default-src") == "'none'"
        assert set(policy.values()) == {"'self'", "'none'", "'script'"}
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_browsers_keep_what_has_not_changed(client: httpx.Client) -> None:
    first = client.get("/ui/main.js")
    tag = first.headers["etag"]
    for given in (tag, f'"other", W/{tag}'):
        again = client.get("/ui/main.js", headers={"if-none-match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["content-length"] == first.headers["content-length"]
    assert client.get("/ui/main.js", headers={"if-none-match": '"other"'}).content == first.content
    assert first.headers["cache-control"] == "no-cache"


def test_the_page_knows_the_topics_of_the_summarizer() -> None:
    table = re.search(r"TOPICS = \{(.*?)\}", (FOLDER / "points.js").read_text("utf-8"), re.DOTALL)
    assert table
    assert re.findall(r'(\w+): "([^"]+)"', table[1]) == [(topic.id, topic.title) for topic in TOPICS.values()]


def test_a_document_is_fetched(client: httpx.Client) -> None:
    PAGES["/terms"] = ("text/html; charset=iso-8859-1", "<p>Caf\xe9</p>".encode("latin-1"))
    answer = client.post("/ui/fetch", json={**FETCH, "url": " http://a.example/terms#x "})
    assert answer.json() == {
        "url": "http://a.example/terms",
        "content_type": "text/html; charset=iso-8859-1",
        "data": base64.b64encode(PAGES["/terms"][1]).decode(),
    }
    assert answer.headers["x-model-version"]


@pytest.mark.parametrize(
    "url", ["http://inside.example/", "http://127.0.0.1/", "file:///etc/passwd", "http://a.example:9/", "x"]
)
def test_nothing_else_is_fetched(client: httpx.Client, url: str) -> None:
    answer = client.post("/ui/fetch", json={**FETCH, "url": url})
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"url": "http://a.example/"}, 400), ({"url": ["http://a.example/"], "model": "summarizer"}, 400), ([], 400),
        ({**FETCH, "model": "absent"}, 404), ({**FETCH, "model": {}}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(client: httpx.Client, body: object, status: int) -> None:
    answer = client.post("/ui/fetch", json=body)
    assert answer.status_code == status
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin", "origin": "https://proxy.example"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "http://HOST"}, False),
        ({"origin": "http://HOST"}, True),
        ({"origin": "https://HOST"}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://HOST.evil.example"}, False),
        ({"origin": "http://HOST@evil.example"}, False),
    ],
)
def test_other_pages_cannot_use_their_visitors(client: httpx.Client, headers: dict[str, str], allowed: bool) -> None:
    PAGES["/terms"] = ("text/plain", b"You pay 9 euros.")
    host = client.base_url.netloc.decode()
    answer = client.post(
        "/ui/fetch", json=FETCH, headers={name: each.replace("HOST", host) for name, each in headers.items()}
    )
    assert answer.status_code == (200 if allowed else 403), answer.text
    assert client.post("/ui/fetch", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415


def test_callers_need_a_token_and_fetching_counts(guarded: httpx.Client) -> None:
    PAGES["/terms"] = ("text/plain", b"You pay 9 euros.")
    assert guarded.get("/ui").status_code == 200
    assert guarded.get("/ui/features").json() == {"fetch": True}
    refused = guarded.post("/ui/fetch", json=FETCH)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    token = {"authorization": f"Bearer {PROGRAMS_TOKEN}"}
    assert guarded.post("/ui/fetch", json={**FETCH, "model": "iris"}, headers=token).status_code == 403
    statuses = [guarded.post("/ui/fetch", json=FETCH, headers=token).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
