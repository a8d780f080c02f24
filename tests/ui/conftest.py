"""The servers and the browser of these tests."""

import http.server
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from predictors.serving.access.token_file import line_of
from tests.live import LiveServer, running, serve_command
from tests.ui import serving
from tests.web import web_server

# Each has its own limit, so that tests do not use up each other's.
TOKEN, PROGRAMS_TOKEN = "visitor-token", "program-token"
POWERLESS_TOKEN = "powerless-token"
PAGES: dict[str, tuple[str, bytes]] = {}
"""What the internet has, by path: a content type and a body."""
_CHROMIUMS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content_type, body = PAGES[self.path]
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="session")
def internet() -> Iterator[int]:
    """The port of a server that answers for all names."""
    with web_server(Handler) as port:
        yield port


@contextmanager
def run_server(internet: int, *arguments: str) -> Iterator[LiveServer]:
    flags = ("--log_format", "json", "--drain_seconds", "0", "--threads", "1", "--ui", "true")
    command = [sys.executable, "-m", "tests.ui.serving", *serve_command(*flags, *arguments)[3:]]
    with running(command, env={serving.PORT: str(internet)}) as live:
        yield live.wait_ready()
        live.terminate()


@pytest.fixture(scope="session")
def page_server(artifacts: Path, internet: int) -> Iterator[LiveServer]:
    """All three models, and the page."""
    with run_server(internet, "summarizer", "iris", "intent") as live:
        yield live


@pytest.fixture
def store_server(artifacts: Path, internet: int, tmp_path: Path) -> Iterator[LiveServer]:
    """The page of a store, the test's own folder, in which there is nothing yet."""
    with run_server(internet, "--model_store", str(tmp_path)) as live:
        yield live


@pytest.fixture(scope="session")
def guarded_server(artifacts: Path, internet: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The page of a summarizer behind tokens, each of which may ask twice a minute; one of them allows no model."""
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    visitor, program = line_of(TOKEN, "visitor", "summarizer"), line_of(PROGRAMS_TOKEN, "program", "summarizer")
    tokens.write_text("\n".join((visitor, program, line_of(POWERLESS_TOKEN, "powerless", ""))))
    with run_server(
        internet, "summarizer", "--token_digests_file", str(tokens), "--client_requests_per_minute", "2"
    ) as live:
        yield live


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser: that which PREDICTORS_CHROMIUM names, or one on the PATH. Playwright's event loop ends with it."""
    found = os.environ.get("PREDICTORS_CHROMIUM") or next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    if found is None:
        pytest.skip("there is no Chromium: install it (apt-get install chromium), or name it in PREDICTORS_CHROMIUM")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to sandbox what root runs
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=sandbox)
        yield chromium
        chromium.close()
