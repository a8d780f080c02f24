"""Events, as the CloudEvents SDK reads them."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from cloudevents.http import from_http, from_json

from predictors.serving.request_log.content import UnknownNameError
from tests.event_sink import REQUEST, RESPONSE
from tests.unit.serving.request_log.entries import ID, new_entry, new_events

ATTRIBUTES = {
    "specversion": "1.0",
    "id": ID,
    "source": "pod-1",
    "inferenceservicename": "paced",
    "namespace": "shop",
    "component": "predictor",
    "endpoint": "default",
    "datacontenttype": "application/json",
}


@pytest.mark.parametrize("structured", [True, False])
def test_the_sdk_reads_what_kserves_logger_would_send(structured: bool) -> None:
    written = [*new_events().about(new_entry())]
    read: list[Any] = [
        from_json(event.line()) if structured else from_http(event.headers(), event.data) for event in written
    ]
    times = [datetime.fromisoformat(event["time"]) for event in read]
    assert times == [datetime.fromtimestamp(seconds, UTC) for seconds in (1.5, 2.0)]
    assert [event["type"] for event in read] == [REQUEST, RESPONSE]
    for event in read:
        found = dict(event.get_attributes())
        del found["time"], found["type"]
        assert found == ATTRIBUTES
    assert [event.data for event in read] == [orjson.loads(event.data) for event in written]


def test_a_line_is_one_line() -> None:
    entry = new_entry(outputs={"label": ["two\nlines\u2028\x85"]})
    for event in new_events().about(entry):
        assert event.line().count(b"\n") == 1
        assert event.line().endswith(b"}\n")


def test_the_service_is_named_after_the_model_unless_it_is_given() -> None:
    (event, _) = new_events(service="checkout", namespace="").about(new_entry())
    assert event.attributes["inferenceservicename"] == "checkout"
    assert "namespace" not in event.attributes


@pytest.mark.parametrize("host", ["näs", "a b", "x\r\nce-id: 1", "%41"])
def test_a_host_of_any_name_is_a_source(host: str) -> None:
    (event, _) = new_events(host).about(new_entry())
    source = event.attributes["source"]
    assert source.isascii()
    assert source.isprintable()
    assert not set(source) & set(' "\r\n')


def test_nothing_is_written_while_a_name_to_redact_is_unknown() -> None:
    with pytest.raises(UnknownNameError):
        next(new_events(redact=("sallary",)).about(new_entry()))
