"""Whatever is thrown at the decoders, they answer with a batch or with an error that a client may see."""

import json
import math
from contextlib import suppress
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from predictors.intent.model import IntentPredictor
from predictors.iris.model import IrisPredictor
from predictors.serving.errors import ServingError
from predictors.serving.model.kserve_api import pb
from predictors.serving.model.types import NUMPY_TYPES, FeatureBatch, Limits, TextBatch
from predictors.serving.protocols.grpc import codec as grpc_codec
from predictors.serving.protocols.v1 import codec as v1
from predictors.serving.protocols.v2 import codec as v2
from predictors.summarizer.parameters import PromptParameters, SummaryParameters, parse_parameters

LIMITS = Limits(max_rows=5, max_text_chars=20)
INPUTS = [IrisPredictor, IntentPredictor]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=25),
    st.sampled_from(["", "text", "FP32", "BYTES", 10**400]),
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
rows = st.lists(st.one_of(st.integers(0, 9), st.floats(0, 9), json_values), min_size=3, max_size=5)
datatypes = st.sampled_from([*NUMPY_TYPES, "BYTES", "FP99", ""])
shapes = st.lists(st.integers(-2, 6) | st.sampled_from([2**40, 2**63]), max_size=3)


def check(batch: Any) -> None:
    assert 1 <= len(batch) <= LIMITS.max_rows
    if isinstance(batch, FeatureBatch):
        assert batch.features.dtype == np.float64
        assert batch.features.shape == (len(batch), 4)
        assert np.isfinite(batch.features).all()
    else:
        assert isinstance(batch, TextBatch)
        assert all(isinstance(text, str) and 0 < len(text) <= LIMITS.max_text_chars for text in batch.texts)


def decode_v1(body: bytes) -> None:
    for predictor in INPUTS:
        with suppress(ServingError):
            check(v1.decode(body, predictor.input, LIMITS))


def decode_v2(body: bytes, json_length: int | None = None) -> None:
    for predictor in INPUTS:
        with suppress(ServingError):
            batch, _ = v2.decode(body, json_length, predictor.input, predictor.outputs, LIMITS)
            check(batch)


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    decode_v1(body)
    decode_v2(body)


@given(
    st.fixed_dictionaries(
        {}, optional={"instances": json_values | st.lists(rows | json_values, max_size=6), "parameters": json_values}
    )
)
@settings(max_examples=300)
def test_any_v1(payload: dict[str, Any]) -> None:
    decode_v1(json.dumps(payload).encode("utf-8", "surrogatepass"))


tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(min_size=1, max_size=5) | json_values,
        "datatype": datatypes | json_values,
        "shape": shapes | st.just([1, 4]) | json_values,
        "data": st.lists(st.integers(0, 9), min_size=4, max_size=8) | rows | json_values,
        "parameters": st.dictionaries(st.sampled_from(["binary_data_size", "x"]), st.integers(-5, 40) | json_values),
    },
)


@given(
    st.fixed_dictionaries({}, optional={
        "inputs": st.lists(tensors, max_size=4) | json_values,
        "outputs": st.lists(st.fixed_dictionaries({}, optional={"name": st.sampled_from(["predict", "x"]), "parameters": json_values}), max_size=3) | json_values,
        "id": json_values,
        "parameters": st.dictionaries(st.sampled_from(["binary_data_output", "x"]), json_values) | json_values,
    }),
    st.binary(max_size=40),
    st.integers(-3, 3) | st.none(),
)  # fmt: skip
@settings(max_examples=500)
def test_any_v2(payload: dict[str, Any], blob: bytes, off: int | None) -> None:
    header = json.dumps(payload).encode("utf-8", "surrogatepass")
    if off is None:
        decode_v2(header)
    else:
        decode_v2(header + blob, len(header) + off)


contents = st.builds(
    lambda fields: pb.InferTensorContents(**fields),
    st.fixed_dictionaries({}, optional={
        "bool_contents": st.lists(st.booleans(), max_size=5),
        "int_contents": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5),
        "int64_contents": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5),
        "fp32_contents": st.lists(st.floats(width=32), max_size=5),
        "fp64_contents": st.lists(st.floats(), max_size=5),
        "bytes_contents": st.lists(st.binary(max_size=5), max_size=5),
    }),
)  # fmt: skip
messages = st.builds(
    lambda model, inputs, raw, wanted: pb.ModelInferRequest(
        model_name=model,
        inputs=[
            pb.ModelInferRequest.InferInputTensor(name=name, datatype=datatype, shape=shape, contents=content)
            for name, datatype, shape, content in inputs
        ],
        raw_input_contents=raw,
        outputs=[pb.ModelInferRequest.InferRequestedOutputTensor(name=name) for name in wanted],
    ),
    st.sampled_from(["iris", "intent", "x"]),
    st.lists(
        st.tuples(
            st.text(max_size=5),
            datatypes,
            st.lists(st.integers(-2, 6), max_size=3) | st.just([1, 4]),
            contents | st.none(),
        ),
        max_size=4,
    ),
    st.lists(st.binary(max_size=40), max_size=4),
    st.lists(st.sampled_from(["predict", "x"]), max_size=2),
)


@given(messages)
@settings(max_examples=500)
def test_any_grpc(message: Any) -> None:
    for predictor in INPUTS:
        with suppress(ServingError):
            check(grpc_codec.decode(message, predictor.input, predictor.outputs, LIMITS)[0])


@given(st.lists(st.lists(st.floats(-1e30, 1e30), min_size=4, max_size=4), min_size=1, max_size=5))
def test_the_same_rows_come_out_of_every_protocol(data: list[list[float]]) -> None:
    kind, outputs = IrisPredictor.input, IrisPredictor.outputs
    expected = np.array(data)
    flat = [value for row in data for value in row]
    entry = {"name": "x", "datatype": "FP64", "shape": [len(data), 4]}
    from_v1 = v1.decode(json.dumps({"instances": data}).encode(), kind, LIMITS)
    nested, _ = v2.decode(json.dumps({"inputs": [{**entry, "data": data}]}).encode(), None, kind, outputs, LIMITS)
    blob = expected.astype("<f8").tobytes()
    header = json.dumps({"inputs": [{**entry, "parameters": {"binary_data_size": len(blob)}}]}).encode()
    binary, _ = v2.decode(header + blob, len(header), kind, outputs, LIMITS)
    contents = pb.InferTensorContents(fp64_contents=flat)
    message = pb.ModelInferRequest(inputs=[pb.ModelInferRequest.InferInputTensor(**entry, contents=contents)])
    typed, _ = grpc_codec.decode(message, kind, outputs, LIMITS)
    for batch in (from_v1, nested, binary, typed):
        assert isinstance(batch, FeatureBatch)
        np.testing.assert_array_equal(batch.features, expected)
    assert all(math.isfinite(value) for value in flat)


@given(
    st.dictionaries(
        st.sampled_from(["max_tokens", "temperature", "seed", "stop", "mode", "json_schema", "x"]),
        json_values | st.integers(0, 300) | st.sampled_from(["fast", "full", "auto"]),
    ),
)
@settings(max_examples=300)
def test_any_parameters_of_the_summarizer(parameters: dict[str, Any]) -> None:
    for kind in (SummaryParameters, PromptParameters):
        with suppress(ServingError):
            found = parse_parameters(kind, parameters)
            sampling = found.sampling(max_tokens=1)
            assert 0 <= sampling.temperature <= 2
            assert all(sampling.stop)
            assert found.deterministic == (sampling.temperature == 0 or "seed" in parameters)
