"""What a user sees once the server has started."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from predictors.cli import banner
from predictors.serving.dispatch.registry import Registry
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.metrics import Metrics
from tests.unit.serving.dispatch.test_registry import Paced
from tests.unit.serving.store.shelf import Shelf


def shown(registry: Registry, capsys: pytest.CaptureFixture[str]) -> str:
    asyncio.run(registry.load_all())
    banner.show(ServerSettings(), registry, 8080, None)
    registry.close()
    return capsys.readouterr().out


def test_a_model_of_any_kind_has_a_line_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(Registry([Paced()], ServerSettings(), Metrics(CollectorRegistry())), capsys)
    assert "paced version 1\n  curl http://localhost:8080/v2/models/paced\n" in text
    assert text.endswith("Ctrl-C stops the server.\n")


def test_what_is_loaded_later_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("iris/3", b"three")
    text = shown(shelf.registry(Metrics(CollectorRegistry())), capsys)
    assert "iris version 3, loaded on its first use\n  curl" in text
