"""The page of a model store, whose models are loaded when they are asked for."""

import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import ARTIFACTS, LiveServer, wait_for
from tests.ui.visit import visit

pytestmark = pytest.mark.llama

MODELS = {"intent", "iris", "summarizer"}
ON_USE = "loaded when it is asked for"


def listed(server: LiveServer) -> dict[str, Any]:
    models: dict[str, Any] = httpx.get(f"{server.url}/models").json()["models"]
    return models


def put(folder: Path, name: str, content: bytes, model: str = "iris") -> None:
    """Put a model into a store, whole at once, with one file changed."""
    hidden = folder.with_name(f".{folder.name}")
    shutil.copytree(ARTIFACTS / model, hidden / "1", ignore=shutil.ignore_patterns(name))
    (hidden / "1" / name).write_bytes(content)
    hidden.rename(folder)


def test_models_that_are_loaded_on_use_can_be_used_at_once(
    browser: Any, store_server: LiveServer, tmp_path: Path
) -> None:
    with visit(browser, store_server.url) as person:
        page = person.page
        page.locator("#problem-text", has_text="This server has no model yet.").wait_for()
        manifest = (ARTIFACTS / "iris/manifest.json").read_bytes()
        put(tmp_path / "other", "manifest.json", manifest.replace(b'"kind": "iris"', b'"kind": "sklearn"'))
        wait_for(lambda: "other" in listed(store_server), "a model of another kind")
        page.click("#again")
        page.locator("#problem-text", has_text="This page has no form for the models here.").wait_for()
        assert page.is_hidden("#summarizer")

        for model in MODELS:
            (tmp_path / model).mkdir()
            (tmp_path / model / "1").symlink_to(ARTIFACTS / model)
        wait_for(lambda: set(listed(store_server)) > MODELS, "the models")
        page.reload()
        person.ready()
        page.wait_for_selector("#classifiers:not([hidden])")
        assert page.is_hidden("#problem")
        assert page.is_visible("#address-choice")
        assert page.locator(".note:visible", has_text=ON_USE).count() == 3
        assert not any(each["loaded"] for each in listed(store_server).values())
        iris = page.get_by_role("form", name="iris")
        iris.get_by_role("button").click()
        iris.get_by_role("status").get_by_text("setosa").wait_for()
        assert person.summarize_text("You pay 9 euros a month.").points() == ["You pay 9 euros a month."]

        put(tmp_path / "torn", "model.npz", b"")
        put(tmp_path / "a-first", next((ARTIFACTS / "summarizer").glob("*.gguf")).name, b"", "summarizer")
        wait_for(lambda: {"torn", "a-first"} <= set(listed(store_server)), "the models whose files are cut off")
        models = listed(store_server)
        assert {name for name, each in models.items() if each["ready"]} == MODELS | {"other"}
        assert {name for name, each in models.items() if each["loaded"]} == {"iris", "summarizer"}
        page.reload()
        page.locator("#problem-text", has_text="Torn is not ready: model.npz has 0 of").wait_for()
        assert person.ready().text("#problem-text").count("not ready") == 2
        page.wait_for_selector("#classifiers:not([hidden])")
        assert page.locator("#forms form").count() == 2
        assert page.locator(".note:visible", has_text=ON_USE).count() == 1  # intent's
        assert person.summarize_text("You pay 9 euros a month.").points() == ["You pay 9 euros a month."]
