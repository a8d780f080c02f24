"""Reports of logged requests: what is read, what is left out and said to be, and what comes of it."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictors.serving.drift import log_events, log_files
from predictors.serving.drift.log_columns import LEFT_OUT, REDACTED, request_columns
from predictors.serving.drift.page import render
from predictors.serving.drift.report import NOTHING_COUNTED, OTHER_MODEL, OTHER_VERSION, Reader, Report, Verdict
from predictors.serving.errors import InvalidInput
from predictors.serving.model.types import TextInput
from predictors.serving.settings import Source
from tests.unit.serving.drift.signs import ROWS, Signs, answer, new_signs

KINDS = "org.kubeflow.serving.inference."
SHIFTED = ROWS + np.array([0, 3])


def event(kind: str, data: Any, **others: Any) -> str:
    """A line as a logger writes it."""
    envelope = {"specversion": "1.0", "type": KINDS + kind, "id": "1", "inferenceservicename": "signs", **others}
    return json.dumps(envelope | {"data": data})


def v2_request(features: Any) -> str:
    tensor = {"name": "features", "datatype": "FP64", "shape": [*features.shape], "data": features.ravel().tolist()}
    return event("request", {"model_name": "signs", "inputs": [tensor]}, time="2026-11-20T10:00:00Z")


def v2_columns(features: Any) -> str:
    tensors = [
        {"name": name, "datatype": "FP32", "shape": [len(features), 1], "data": column.tolist()}
        for name, column in zip("ab", features.T, strict=True)
    ]
    return event("request", {"model_name": "signs", "inputs": tensors})


def v1_request(features: Any) -> str:
    return event("request", {"instances": features.tolist()})


def v1_objects(features: Any) -> str:
    return event("request", {"instances": [{"b": b, "a": a} for a, b in features.tolist()]})


def as_text(features: Any) -> str:
    return event("request", json.dumps({"instances": features.tolist()}))


def v2_response(features: Any, version: str = "1") -> str:
    outputs = answer(features)
    tensors = [
        {"name": "predict", "datatype": "BYTES", "shape": [len(features)], "data": outputs["predict"]},
        {"name": "predict_proba", "datatype": "FP64", "shape": [len(features), 2], "data": np.ravel(outputs["predict_proba"]).tolist()},
    ]  # fmt: skip
    data = {"model_name": "signs", "model_version": version, "outputs": tensors}
    return event("response", data, time="2026-11-21T10:00:00Z")


def v1_response(features: Any) -> str:
    return event("response", {"predictions": answer(features)["predict"], "model_version": "1"})


def read(lines: Iterable[str], folder: Path, name: str = "") -> Reader:
    file = folder / "log.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    signs = new_signs()
    assert signs.reference is not None
    reader = Reader(signs, signs.reference, name)
    reader.read([file])
    return reader


def report(lines: Iterable[str], folder: Path, name: str = "") -> Report:
    return read(lines, folder, name).report(0.25)


def verdicts(found: Report) -> dict[str, Verdict]:
    return {each.distribution.name: found.verdict(each) for each in found.comparisons}


@pytest.mark.parametrize("write", [v2_request, v2_columns, v1_request, v1_objects, as_text])
def test_all_forms_of_requests_are_counted_alike(write: Any, tmp_path: Path) -> None:
    found = report([write(ROWS)], tmp_path)
    counted = {each.distribution.name: each for each in found.comparisons}
    for name in "ab":
        assert list(counted[name].counts) == list(counted[name].distribution.counts)
    assert counted["prediction"].rows == counted["confidence"].rows == 0
    assert verdicts(found)["prediction"] is Verdict.UNKNOWN
    assert (found.requests, found.responses, found.skipped, found.drifts) == (1, 0, {}, False)
    shifted = report([write(SHIFTED)], tmp_path)
    assert verdicts(shifted)["a"] is Verdict.SAME
    assert verdicts(shifted)["b"] is Verdict.DRIFT
    assert shifted.drifts
    assert shifted.comparisons[0].distribution.name == "b"


def test_answers_are_counted_as_far_as_they_tell(tmp_path: Path) -> None:
    found = {
        each.distribution.name: each for each in report([v2_response(ROWS), v1_response(ROWS)], tmp_path).comparisons
    }
    assert [
        now - then
        for now, then in zip(found["prediction"].counts, found["prediction"].distribution.counts, strict=True)
    ] == list(found["prediction"].distribution.counts)
    assert found["prediction"].psi == pytest.approx(0, abs=1e-9)
    assert list(found["confidence"].counts) == list(found["confidence"].distribution.counts)
    assert found["a"].rows == 0


def test_a_small_shift_is_worth_a_look(tmp_path: Path) -> None:
    assert verdicts(report([v2_request(ROWS + np.array([0, 0.42]))], tmp_path))["b"] is Verdict.LOOK


NOTHING = ('{"error": "no"}', "null", "[1]", '{"inputs": 5}', '{"inputs": [5, null, {"name": 1, "data": 5}]}', '{"instances": {"a": 1}}',
           '{"instances": [[], null, 7, "x"]}', '{"inputs": [{"name": "a", "data": "redacted"}]}')  # fmt: skip
BROKEN = ('{"outputs": 5}', '{"outputs": [7]}', '{"outputs": [{"name": "predict_proba", "data": [1, 2]}]}',
          '{"outputs": [{"name": "predict_proba", "shape": [2, 7], "data": [1, "x"]}]}',
          '{"outputs": [{"name": "predict_proba", "shape": [1, 1, 2], "data": [1, 2]}]}',
          '{"outputs": [{"name": "predict_proba", "shape": [1, -1, -1], "data": [1, 2]}]}')  # fmt: skip


@pytest.mark.parametrize("data", NOTHING)
def test_bodies_without_anything_to_count_are_counted_as_such(data: str, tmp_path: Path) -> None:
    found = report([v1_request(ROWS), event("request", json.loads(data))], tmp_path)
    assert (found.requests, sum(found.skipped.values())) == (1, 1)
    assert {*found.skipped} <= {NOTHING_COUNTED, log_events.NO_BODY}
    for each in found.comparisons:
        assert each.rows in (0, len(ROWS))


@pytest.mark.parametrize("data", BROKEN)
def test_answers_that_make_no_sense_are_left_out(data: str, tmp_path: Path) -> None:
    found = report([v2_response(ROWS), event("response", json.loads(data))], tmp_path)
    assert found.responses == 1
    assert found.skipped[NOTHING_COUNTED] == 1
    assert found.skipped.get(REDACTED, 0) == 1


def test_redacted_features_are_left_out_and_the_others_counted(tmp_path: Path) -> None:
    rows = [{"a": "[redacted]", "b": b} for _, b in ROWS.tolist()]
    found = report([event("request", {"instances": rows})], tmp_path)
    assert {each.distribution.name: each.rows for each in found.comparisons if each.rows} == {"b": len(ROWS)}
    assert found.skipped == {REDACTED: len(ROWS)}


def test_features_of_a_tensor_that_are_redacted_are_not_missing(tmp_path: Path) -> None:
    data = np.stack([ROWS[:, 0], np.full(len(ROWS), np.nan)], 1).ravel().tolist()
    shown = [None if value != value else value for value in data]
    tensor = {"name": "features", "datatype": "FP64", "shape": [len(ROWS), 2], "data": shown}
    found = report([event("request", {"inputs": [tensor | {"parameters": {"redacted": ["b"]}}]})], tmp_path)
    assert {each.distribution.name: each.rows for each in found.comparisons if each.rows} == {"a": len(ROWS)}
    assert found.skipped == {REDACTED: len(ROWS)}


def test_tensors_without_data_are_said_to_be_left_out(tmp_path: Path) -> None:
    bare = {"name": "features", "datatype": "FP64", "shape": [1, 2], "parameters": {"left_out": "size"}}
    answers = {"name": "predict", "datatype": "BYTES", "shape": [1], "parameters": {"left_out": "redacted"}}
    found = report(
        [v1_request(ROWS), event("request", {"inputs": [bare]}), event("response", {"outputs": [answers]})], tmp_path
    )
    assert (found.requests, found.responses) == (1, 0)
    assert found.skipped == {LEFT_OUT: 2, NOTHING_COUNTED: 2}


def test_a_missing_value_is_no_redacted_one(tmp_path: Path) -> None:
    rows = [[a, b if i % 2 else None] for i, (a, b) in enumerate(ROWS.tolist())]
    found = report([event("request", {"instances": rows})], tmp_path)
    assert found.skipped == {}
    (drifted,) = (each for each in found.comparisons if found.verdict(each) is Verdict.DRIFT)
    assert (drifted.distribution.name, drifted.counts[-1]) == ("b", len(ROWS) // 2)


def test_lines_that_are_no_events_are_counted(tmp_path: Path) -> None:
    lines = ["", "null", "[]", "7", "{}", '{"type": ["a"]}', "\x00\x01", "{", v1_request(ROWS)[:-30], v1_request(ROWS)]
    found = report(lines, tmp_path)
    assert found.requests == 1
    assert found.skipped == {log_events.NO_EVENT: 5, log_events.NO_JSON: 3}


def test_rotated_and_compressed_files_are_read_whatever_they_are_called(tmp_path: Path) -> None:
    whole = gzip.compress(f"{v1_request(ROWS)}\n".encode())
    (tmp_path / "log.jsonl").write_text(v1_request(ROWS))  # no end of the line
    (tmp_path / "log.jsonl.1").write_bytes(whole)
    (tmp_path / "log.2.gz").write_bytes(whole + whole)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(f"{v1_request(ROWS)}\n{v1_request(ROWS)}\n".encode() * 30)[:-400])
    (tmp_path / "bad.gz").write_bytes(b"\x1f\x8bnothing of the kind")
    (tmp_path / "empty").touch()
    files = [tmp_path / name for name in ("log.jsonl", "log.jsonl.1", "log.2.gz", "cut.gz", "bad.gz", "empty")]
    signs = new_signs()
    assert signs.reference is not None
    reader, advanced = Reader(signs, signs.reference), 0

    def advance(size: int) -> None:
        nonlocal advanced
        advanced += size

    reader.read(files, advance)
    found = reader.report(0.25)
    assert 4 <= found.requests < 64
    assert found.skipped[log_files.CUT_SHORT] == 2
    assert advanced <= sum(file.stat().st_size for file in files)
    assert advanced > 0.9 * sum(file.stat().st_size for file in files[:4])


def test_a_line_that_is_too_long_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "_LONGEST_BYTES", 50_000)
    found = report([v1_request(ROWS), "x" * 120_000, v1_request(ROWS)], tmp_path)
    assert (found.requests, found.skipped) == (2, {log_files.TOO_LONG: 1})


def test_other_versions_answers_are_left_out(tmp_path: Path) -> None:
    found = report([v2_response(ROWS), v2_response(SHIFTED, "2")], tmp_path)
    assert (found.responses, found.skipped) == (1, {OTHER_VERSION: 1})


def test_of_several_models_one_must_be_chosen(tmp_path: Path) -> None:
    other = event("request", {"model_name": "other", "instances": [[1, 2]]}, inferenceservicename="else")
    with pytest.raises(InvalidInput, match=r"several models; choose one with --model: other, signs$"):
        report([v1_request(ROWS), other], tmp_path)
    for name in ("signs", "other", "else"):
        found = report([v1_request(ROWS), other], tmp_path, name)
        assert (found.requests, found.skipped) == (1, {OTHER_MODEL: 1})


@pytest.mark.parametrize("lines", [[], ["x"], [event("response", {"error": "no"})]])
def test_nothing_to_compare_is_an_error(lines: list[str], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="the files hold no request and no answer of this model"):
        report(lines, tmp_path)


def test_the_page_is_complete_and_nothing_in_it_is_markup_of_others(tmp_path: Path) -> None:
    found = report([v2_request(SHIFTED), v2_response(SHIFTED)], tmp_path)
    found = found._replace(model="<script>alert(1)</script>")
    page = render(found)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<figure>") == page.count("</svg>") == 4
    assert "http://" not in page
    assert "https://" not in page
    assert "2026-11-20T10:00:00Z to 2026-11-21T10:00:00Z" in page
    assert found.as_json()["features"][0]["verdict"] == "drift"
    json.dumps(found.as_json(), allow_nan=False)


class Texts(Signs):
    input = TextInput()  # type: ignore[assignment]  # another kind of input


@pytest.mark.parametrize(
    ("data", "lengths"),
    [
        ({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "data": ["ab", "c"]}]}, [2, 1]),
        ({"inputs": [{"name": "x", "datatype": "BYTES", "shape": [2], "data": ["ab", "c"]}]}, [2, 1]),
        ({"inputs": [{"name": "text_length", "datatype": "INT64", "shape": [2], "data": [20, 10]}]}, [20, 10]),
        ({"instances": ["abc", {"text": "d"}]}, [3, 1]),
    ],
)
def test_of_texts_that_were_not_logged_the_lengths_count(data: dict[str, Any], lengths: list[int]) -> None:
    skipped: Counter[str] = Counter()
    columns = request_columns(Texts("texts", Source(Path())), data, skipped)
    assert {key: list(values) for key, values in columns.items()} == {("input", "text_length"): lengths}
    assert not skipped.total()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["a", "b", "name", "data", "shape", "predict", "predict_proba"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
BODIES = st.dictionaries(
    st.sampled_from(["instances", "inputs", "outputs", "predictions", "probabilities", "model_name", "model_version"]),
    JSON
    | st.lists(
        st.fixed_dictionaries({"name": st.sampled_from(["a", "predict", "predict_proba"]), "shape": JSON, "data": JSON})
    ),
)


@settings(max_examples=40)
@given(st.sampled_from(["request", "response"]), BODIES)
def test_whatever_a_body_holds_is_counted_or_left_out(kind: str, data: dict[str, Any]) -> None:
    signs = new_signs()
    assert signs.reference is not None
    reader = Reader(signs, signs.reference)
    for each in log_events.events([json.dumps({"type": KINDS + kind, "data": data}).encode()], reader.skipped):
        reader._count(each)
    with suppress(InvalidInput):
        render(reader.report(0.25))
