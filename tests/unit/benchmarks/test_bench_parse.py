"""The parsers for load tools; the outputs are real ones, measured on this server."""

import json

import numpy as np
import pytest

from tests.benchmarks.load import parse
from tests.benchmarks.load.cases import (
    BINARY,
    GRPC,
    HEADER_LENGTH,
    MLSERVER,
    OURS,
    ROWS,
    V1,
    V2,
    Case,
    grpc_request,
    http_request,
    pb,
)
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.load.tools import INSTALL, find, lua
from tests.live import ROOT

OUTPUTS = ROOT / "tests/data/bench"


def output(name: str) -> str:
    return (OUTPUTS / name).read_text()


def test_wrk() -> None:
    load = parse.wrk(output("wrk.txt"))
    assert (load.rate, load.p50, load.p99) == (1894.16, 1.96, 10.94)
    assert load.statuses == {"2xx": 2098}


@pytest.mark.parametrize(("text", "milliseconds"), [("640.00us", 0.64), ("1.05s", 1050.0), ("1.50m", 90_000.0)])
def test_wrk_has_four_units(text: str, milliseconds: float) -> None:
    assert parse.wrk(output("wrk.txt").replace("10.94ms", text)).p99 == pytest.approx(milliseconds)


def test_wrk_says_when_answers_were_no_successes() -> None:
    with pytest.raises(BenchError, match="Non-2xx or 3xx responses: 2949"):
        parse.wrk(output("wrk_404.txt"))


def test_wrk_says_when_connections_failed() -> None:
    with pytest.raises(BenchError, match="timeout 3"):
        parse.wrk(output("wrk.txt") + "  Socket errors: connect 0, read 0, write 0, timeout 3\n")


def test_wrk_without_answers_is_no_measurement() -> None:
    with pytest.raises(BenchError, match="no answers"):
        parse.wrk("  0 requests in 1.00s, 0.00B read\nRequests/sec:      0.00\n")


def test_oha_counts_successes_over_the_whole_time() -> None:
    load = parse.oha(output("oha.json"))
    assert load.rate == pytest.approx(200 / 1.006166412)
    assert load.statuses == {"200": 200}
    assert load.p99 == pytest.approx(json.loads(output("oha.json"))["latencyPercentiles"]["p99"] * 1000)


def test_refusals_are_counted_apart_and_have_no_part_in_the_latency() -> None:
    found = json.loads(output("oha_429.json"))
    load = parse.oha(output("oha_429.json"), refusals=True)
    assert load.statuses == {"200": 1546, "429": 614}
    assert load.refused / load.rate == pytest.approx(614 / 1546)
    assert load.p50 == pytest.approx(found["latencyPercentilesSuccessful"]["p50"] * 1000)
    assert load.p50 != pytest.approx(found["latencyPercentiles"]["p50"] * 1000)


def test_oha_says_when_answers_were_no_successes() -> None:
    with pytest.raises(BenchError, match="'429': 614"):
        parse.oha(output("oha_429.json"))
    with pytest.raises(BenchError, match="'400': 100"):
        parse.oha(output("oha_400.json"), refusals=True)


def test_requests_cut_off_by_the_end_are_no_errors_of_the_server() -> None:
    found = json.loads(output("oha.json"))
    found["errorDistribution"] = {"aborted due to deadline": 3}
    assert parse.oha(json.dumps(found)).statuses == {"200": 200}
    found["errorDistribution"]["connection error"] = 1
    with pytest.raises(BenchError, match="connection error"):
        parse.oha(json.dumps(found))


def test_ghz() -> None:
    load = parse.ghz(output("ghz.json"))
    assert load.rate == pytest.approx(124.03, abs=0.01)
    assert [load.p50, load.p99] == pytest.approx([8.185366, 28.497341])
    assert load.statuses == {"OK": 8}


def test_ghz_says_when_calls_failed() -> None:
    with pytest.raises(BenchError, match="NotFound"):
        parse.ghz(output("ghz_error.json"))


@pytest.mark.parametrize("model", ROWS)
def test_a_binary_request_holds_what_it_announces(model: str) -> None:
    request = http_request(Case(OURS, model, BINARY))
    length = int(request.headers[HEADER_LENGTH])
    (tensor,) = json.loads(request.body[:length])["inputs"]
    raw = request.body[length:]
    assert tensor["parameters"]["binary_data_size"] == len(raw)
    if tensor["datatype"] != "BYTES":
        numbers = np.frombuffer(raw, {"FP32": "<f4", "FP64": "<f8"}[tensor["datatype"]])
        assert numbers.tolist() == pytest.approx(ROWS[model][0], rel=1e-6)
    else:
        assert raw[4:].decode() == ROWS[model][0]


def test_every_byte_passes_through_wrks_script() -> None:
    request = http_request(Case(OURS, "iris", BINARY))._replace(body=bytes(range(256)))
    quoted = lua(request).decode().rpartition('wrk.body = "')[2].rstrip('"\n')
    assert bytes(int(code) for code in quoted.split("\\")[1:]) == request.body
    assert quoted.isascii()


def test_all_protocols_carry_the_same_rows() -> None:
    v1 = json.loads(http_request(Case(OURS, "intent", V1)).body)["instances"]
    v2 = json.loads(http_request(Case(OURS, "intent", V2)).body)["inputs"][0]["data"]
    message = pb.ModelInferRequest.FromString(grpc_request(Case(OURS, "intent", GRPC)))
    assert v1 == v2 == [message.raw_input_contents[0][4:].decode()]


def test_mlserver_is_told_that_bytes_are_text() -> None:
    def types(server: str, model: str) -> list[str]:
        message = pb.ModelInferRequest.FromString(grpc_request(Case(server, model, GRPC)))
        return [value.string_param for value in message.inputs[0].parameters.values()]

    assert types(MLSERVER, "intent") == ["str"]
    assert types(OURS, "intent") == types(MLSERVER, "iris") == []


def test_a_missing_tool_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATH", "CARGO_HOME", "GOBIN", "GOPATH", "HOME"):
        monkeypatch.setenv(name, "/nowhere")
    for tool, command in INSTALL.items():
        with pytest.raises(BenchError, match=f"{tool} is not installed: {command.split()[0]}"):
            find(tool)
