"""The request log as a whole: what it refuses at the start, and which of its parts there are."""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from predictors.serving.errors import StartupError
from predictors.serving.model.types import FeatureBatch
from predictors.serving.request_log.request_log import RequestLog
from tests.event_sink import event_sink
from tests.unit.serving.request_log.entries import Model, new_settings
from tests.unit.serving.request_log.test_watcher import new_call
from tests.unit.serving.shadow.served import new_model


@contextlib.contextmanager
def logging(**settings: Any) -> Iterator[Any]:
    """A model whose requests are logged until the block ends."""
    model = new_model(Model())
    log = RequestLog(new_settings(**settings), [model], CollectorRegistry())
    log.start()
    try:
        yield model
    finally:
        log.close()


def test_both_sinks_get_what_is_answered(tmp_path: Path) -> None:
    batch = FeatureBatch(np.array([[1.0, 2.0]]))
    with event_sink() as sink:
        with logging(url=sink.url, file=str(tmp_path / "{host}.log"), service="shop") as model:
            (watcher,) = model.watchers
            for _ in range(3):
                watcher(batch, {"label": ["cat"]}, new_call())
        lines = [json.loads(line) for line in (tmp_path / f"{socket.gethostname()}.log").read_bytes().splitlines()]
        for each in (sink.events, lines):
            assert len(each) == 6
            assert {event["inferenceservicename"] for event in each} == {"shop"}


def test_who_watched_before_still_does(tmp_path: Path) -> None:
    model = new_model(Model())
    before = model.watchers = (lambda batch, outputs, call: None,)
    RequestLog(new_settings(file=str(tmp_path / "log")), [model], CollectorRegistry())
    assert model.watchers[:1] == before
    assert len(model.watchers) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "broker:80"}, "--request_log_url must be an address"),
        ({"file": "/missing/log.jsonl"}, "--request_log_file: /missing/log.jsonl cannot be written: No such file"),
        ({"file": "/dev/null"}, "--request_log_file: /dev/null cannot be written: Invalid argument"),
    ],
)
def test_a_sink_that_cannot_be_used_ends_the_start(settings: dict[str, str], message: str) -> None:
    with pytest.raises(StartupError, match=message), logging(**settings):
        pass


def test_settings_do_not_show_the_address() -> None:
    assert "secret" not in repr(new_settings(url="http://broker/?key=secret"))
