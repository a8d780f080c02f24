"""W3C's trace context, and what is noted of a request's way."""

import re

import pytest

from predictors.serving.telemetry.trace import Step, continued, new_trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True), ("ff", True)])
def test_a_callers_trace_goes_on(flags: str, sampled: bool) -> None:
    trace = continued(f"00-{TRACE}-{SPAN}-{flags}")
    assert trace is not None
    assert (trace.trace_id, trace.parent_id, trace.sampled) == (TRACE, SPAN, sampled)
    assert re.fullmatch(f"00-{TRACE}-(?!{SPAN})[0-9a-f]{{16}}-0{int(sampled)}", trace.traceparent)


def test_a_later_version_may_say_more() -> None:
    assert continued(f"01-{TRACE}-{SPAN}-01") is not None
    assert continued(f"01-{TRACE}-{SPAN}-01-more") is not None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_other_headers_count_as_none(header: str) -> None:
    assert continued(header) is None


def test_steps_that_follow_each_other() -> None:
    trace = new_trace()
    trace.steps_from(10.0, [("prefill", 2.0), ("generate", 0.5)])
    assert trace.steps == [Step("prefill", 10.0, 12.0), Step("generate", 12.0, 12.5)]


def test_traces_differ() -> None:
    assert len({new_trace().trace_id for _ in range(100)}) == 100
