"""One visit of the page: what a person does there, and what must never happen meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.live import PATIENCE_SECONDS

# Notes whatever the policy of the page forbids, and dialogs, which only a script of a document would open.
_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective + " " + event.blockedURI));
window.alert = window.prompt = window.confirm = () => violations.push("a dialog");
"""


class Visit:
    """A page in a fresh browser.

    Args:
        context: the browser's; closed with the visit.
        url: the server's base URL.
        path: the page.
    """

    def __init__(self, context: Any, url: str, path: str) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE_SECONDS * 1000)
        self._host = urlsplit(url).netloc
        self._is_ui = path == "/ui"
        self._wrong: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self._wrong.append(str(error)))
        self.page.on("request", self._asked)
        self.page.goto(url + path)

    def _said(self, message: Any) -> None:
        # Browsers write a line for each answer that is an error; what the page makes of it, tests look at.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self._wrong.append(message.text)

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("blob", "data") and parts.netloc != self._host:
            self._wrong.append(f"a request to {request.url}")
        if self._is_ui and request.method == "POST" and request.headers.get("x-no-fallback") != "true":
            self._wrong.append("what people give the page may leave its server")

    def check(self) -> None:
        """Nothing was forbidden, nothing failed, and nobody else was asked."""
        assert self._wrong == []
        assert self.page.evaluate("violations") == []

    def ready(self) -> "Visit":
        """Wait until the page knows the server's models."""
        self.page.wait_for_selector("#summarizer:not([hidden])")
        return self

    def summarize(self) -> "Visit":
        """Have what is chosen summarized, and wait for the end of it."""
        self.page.click("#start")
        self.page.wait_for_selector('#results[aria-busy="false"]', state="attached")
        return self

    def summarize_text(self, text: str) -> "Visit":
        self.page.check("input[value=text]")
        self.page.fill("#text", text)
        return self.summarize()

    def choose_file(self, name: str, data: bytes, mime_type: str = "") -> "Visit":
        self.page.check("input[value=file]")
        self.page.set_input_files("#file", {"name": name, "mimeType": mime_type, "buffer": data})
        return self

    def text(self, selector: str) -> str:
        return str(self.page.inner_text(selector))

    def points(self) -> list[str]:
        """The points, as they are shown."""
        return [str(each) for each in self.page.locator("#points li > span").all_inner_texts()]

    def shown_places(self) -> list[str]:
        """What is marked in the document for each point, once its button was pressed."""
        found = []
        for button in self.page.locator(".place").all():
            button.click()
            found.append(" … ".join(self.page.locator("#document .active").all_text_contents()))
        return found


@contextmanager
def visit(browser: Any, url: str, path: str = "/ui", **options: Any) -> Iterator[Visit]:
    """Open the page in a browser of its own, and check it at the end."""
    context = browser.new_context(**{"reduced_motion": "reduce", **options})
    context.add_init_script(_WATCH)
    try:
        visiting = Visit(context, url, path)
        yield visiting
        visiting.check()
    finally:
        context.close()
