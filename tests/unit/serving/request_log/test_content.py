"""What is logged, and above all what is not."""

import math
from typing import Any

import numpy as np
import orjson
import pytest

from predictors.serving.model.types import (
    Batch,
    ColumnBatch,
    FeatureBatch,
    Input,
    Limits,
    Outputs,
    PromptBatch,
    TensorSpec,
    TextBatch,
    TextInput,
)
from predictors.serving.protocols.v2 import codec
from predictors.serving.request_log.content import UnknownNameError
from tests.unit.serving.request_log.entries import COLUMNS, FLOWER, ID, Model, Writer, new_content, new_entry

SECRET = "my name is Ada"
FEATURES = FeatureBatch(np.array([[1.0, 52_000.0], [2.0, 61_000.0]]))
SUMMARY: Outputs = {"summary": [SECRET], "prompt_tokens": np.array([7])}
COLUMNS_BATCH = ColumnBatch({"age": np.array([30, 40]), "city": ["Rome", None]})


def inputs(batch: Batch, kind: Input = FLOWER, **settings: Any) -> list[dict[str, Any]]:
    models = Model(kind), Writer()
    body = new_content(*models, **settings).request(new_entry(batch, input=kind))
    assert orjson.loads(body).keys() == {"model_name", "id", "inputs"}
    return list(orjson.loads(body)["inputs"])


def outputs(given: Outputs, generates: bool = False, **settings: Any) -> list[dict[str, Any]]:
    models = Model(), Writer()
    body = new_content(*models, **settings).response(new_entry(outputs=given, generates=generates))
    assert orjson.loads(body).keys() == {"model_name", "model_version", "id", "outputs"}
    return list(orjson.loads(body)["outputs"])


@pytest.mark.parametrize(
    ("batch", "kind"),
    [
        (FEATURES, FLOWER),
        (FeatureBatch(np.asfortranarray(FEATURES.features)), FLOWER),
        (TextBatch(["a", "dög"]), TextInput()),
        (ColumnBatch({"age": np.array([30, 40]), "city": ["Rome", "Köln"]}), COLUMNS),
    ],
)
def test_a_request_is_what_v2_would_read(batch: Batch, kind: Input) -> None:
    body = new_content(Model(kind), documents=True).request(new_entry(batch, input=kind))
    read, _ = codec.decode(body, None, kind, (TensorSpec("label", "BYTES", (-1,)),), Limits(10, 100))
    assert repr(read) == repr(batch)
    assert orjson.loads(body)["id"] == ID


def test_an_answer_is_v2s() -> None:
    given: Outputs = {"label": ["cat"], "p": np.array([[0.25, 0.75]], dtype=np.float32), "n": np.array([True])}
    assert outputs(given) == [
        {"name": "label", "datatype": "BYTES", "shape": [1], "data": ["cat"]},
        {"name": "p", "datatype": "FP32", "shape": [1, 2], "data": [0.25, 0.75]},
        {"name": "n", "datatype": "BOOL", "shape": [1], "data": [True]},
    ]


def test_a_missing_value_is_null() -> None:
    (tensor,) = inputs(FeatureBatch(np.array([[math.nan, 1.0]])))
    assert tensor["data"] == [None, 1.0]
    assert inputs(COLUMNS_BATCH, COLUMNS)[1]["data"] == ["Rome", None]


def test_a_redacted_feature_is_null_and_the_batch_is_untouched() -> None:
    before = FEATURES.features.copy()
    (tensor,) = inputs(FEATURES, redact=("salary",))
    assert (tensor["shape"], tensor["data"]) == ([2, 2], [1.0, None, 2.0, None])
    assert tensor["parameters"] == {"redacted": ["salary"]}  # unlike one that was missing
    assert (FEATURES.features == before).all()


@pytest.mark.parametrize(("batch", "kind", "name"), [(FEATURES, FLOWER, "features"), (COLUMNS_BATCH, COLUMNS, "city")])
def test_a_redacted_input_keeps_its_shape_alone(batch: Batch, kind: Input, name: str) -> None:
    found = {tensor["name"]: tensor for tensor in inputs(batch, kind, redact=(name,))}
    assert found[name].keys() == {"name", "datatype", "shape", "parameters"}
    assert found[name]["parameters"] == {"left_out": "redacted"}
    assert all("data" in tensor for other, tensor in found.items() if other != name)


@pytest.mark.parametrize("documents", [True, False])
def test_a_redacted_text_has_not_even_a_length(documents: bool) -> None:
    assert inputs(TextBatch([SECRET]), TextInput(), redact=("text",), documents=documents) == [
        {"name": "text", "datatype": "BYTES", "shape": [1], "parameters": {"left_out": "redacted"}}
    ]
    assert [tensor["name"] for tensor in outputs(SUMMARY, True, redact=("summary",), documents=documents)] == [
        "summary", "prompt_tokens",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("batch", "named"),
    [
        (TextBatch([SECRET, ""]), {"text_length": [14, 0]}),
        (PromptBatch(text=SECRET), {"prompt_length": [14]}),
        (
            PromptBatch([("system", "be kind"), ("user", SECRET)]),
            {"role": ["system", "user"], "content_length": [7, 14]},
        ),
    ],
)
def test_without_consent_texts_are_lengths(batch: Batch, named: dict[str, Any]) -> None:
    found = inputs(batch, TextInput())
    assert {tensor["name"]: tensor["data"] for tensor in found} == named
    assert SECRET not in str(found)


def test_without_consent_what_was_written_is_lengths_and_numbers() -> None:
    assert outputs(SUMMARY, generates=True) == [
        {"name": "summary_length", "datatype": "INT64", "shape": [1], "data": [14]},
        {"name": "prompt_tokens", "datatype": "INT64", "shape": [1], "data": [7]},
    ]
    assert [tensor["name"] for tensor in outputs(SUMMARY, generates=True, documents=True)] == [*SUMMARY]


def test_labels_need_no_consent() -> None:
    assert outputs({"label": ["cat"]})[0]["data"] == ["cat"]


@pytest.mark.parametrize(
    ("batch", "kind"),
    [
        (FeatureBatch(np.zeros((10_000, 2))), FLOWER),  # too large before it is written
        (FeatureBatch(np.full((50, 2), -1.234567890123456e-300)), FLOWER),  # and after
        (TextBatch(["x" * 2000]), TextInput()),
        (TextBatch(["\0" * 500]), TextInput()),  # six times as long in JSON
        (PromptBatch([("user", "x" * 2000)]), TextInput()),
    ],
)
def test_too_large_a_request_has_its_shape_alone(batch: Batch, kind: Input) -> None:
    for tensor in inputs(batch, kind, documents=True, event_bytes=1024):
        assert tensor["parameters"] == {"left_out": "size"}
        assert "data" not in tensor
    assert inputs(batch, kind, documents=True)[0]["data"]


def test_lengths_of_large_texts_are_not_too_large() -> None:
    (tensor,) = inputs(TextBatch(["x" * 100_000]), TextInput(), event_bytes=1024)
    assert tensor["data"] == [100_000]


def test_too_large_an_answer_has_its_shapes_alone_and_says_what_was_redacted() -> None:
    given: Outputs = {"label": ["cat"] * 1000, "summary": ["x"]}
    found = outputs(given, redact=("summary",), event_bytes=1024)
    assert [tensor["parameters"]["left_out"] for tensor in found] == ["size", "redacted"]


@pytest.mark.parametrize("redact", ["sallary", "Salary", "features.salary", "text_length"])
def test_a_name_that_no_model_has_is_refused(redact: str) -> None:
    content = new_content(Model(), Writer(), redact=("length", redact))
    with pytest.raises(UnknownNameError, match=redact):
        content.require_known_names()


def test_names_of_all_models_are_known() -> None:
    redact = ("salary", "features", "label", "text", "summary", "content", "prompt", "age")
    new_content(Model(), Writer(), Model(COLUMNS), redact=redact).require_known_names()


def test_a_name_of_a_model_that_is_not_loaded_yet_becomes_known() -> None:
    model = Model(COLUMNS)
    content = new_content(model, redact=("salary",))
    with pytest.raises(UnknownNameError):
        content.require_known_names()
    model.input = FLOWER
    content.require_known_names()
