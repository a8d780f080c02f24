"""Fields of gRPC messages, counted before protobuf makes objects of them."""

import pytest

from predictors.serving.errors import TooLarge
from predictors.serving.model.kserve_api import pb
from predictors.serving.protocols.grpc import wire
from predictors.serving.protocols.grpc.wire import check_fields


@pytest.fixture(autouse=True)
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_ENTRIES", 20)
    monkeypatch.setattr(wire, "MOST_ELEMENTS", 50)
    monkeypatch.setattr(wire, "MOST_PACKED_BYTES", 100)


def request(**contents: object) -> pb.ModelInferRequest:
    made = pb.ModelInferRequest(model_name="iris", model_version="1", id="7")
    made.inputs.add(name="x", datatype="FP64", shape=[2, 4], contents=contents)
    made.outputs.add(name="predict")
    made.parameters["priority"].int64_param = 2**62
    return made


@pytest.mark.parametrize(
    "contents",
    [
        {"fp64_contents": [1.5] * 1_000},
        {"fp32_contents": [1.5] * 1_000},
        {"int64_contents": [1] * 100},
        {"int64_contents": [-1] * 10},
        {"bool_contents": [True] * 100},
        {"bytes_contents": [b"text"] * 50},
    ],
)
def test_usual_messages_pass(contents: dict[str, object]) -> None:
    check_fields(request(**contents).SerializeToString())
    raw = request()
    raw.raw_input_contents.append(bytes(1_000))
    check_fields(raw.SerializeToString())


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ({"int64_contents": [1] * 101}, "more than 100 bytes of integers; send them raw"),
        ({"int_contents": [-1] * 11}, "more than 100 bytes of integers; send them raw"),
        ({"bytes_contents": [b""] * 51}, "more than 50 elements"),
    ],
)
def test_too_many_elements_are_refused(contents: dict[str, object], says: str) -> None:
    with pytest.raises(TooLarge, match=says):
        check_fields(request(**contents).SerializeToString())


def too_many_of(kind: str) -> pb.ModelInferRequest:
    made = request()
    for number in range(21):
        if kind == "parameters":
            made.parameters[str(number)].bool_param = True
        elif kind == "parameters of a tensor":
            made.inputs[0].parameters[str(number)].bool_param = True
        elif kind == "raw contents":
            made.raw_input_contents.append(b"")
        else:
            getattr(made, kind).add()
    return made


@pytest.mark.parametrize("kind", ["inputs", "outputs", "parameters", "parameters of a tensor", "raw contents"])
def test_too_many_entries_are_refused(kind: str) -> None:
    with pytest.raises(TooLarge, match="more than 20 tensors, parameters and other fields"):
        check_fields(too_many_of(kind).SerializeToString())


def test_too_long_a_shape_is_refused() -> None:
    made = request()
    made.inputs[0].shape.extend([1] * 21)
    with pytest.raises(TooLarge, match="a shape of 23 bytes; at most 20 are allowed"):
        check_fields(made.SerializeToString())


@pytest.mark.parametrize("field", [b"\x98\x06\x01", b"\x9b\x06\x9c\x06", b"\x9d\x06abcd", b"\x99\x06abcdefgh"])
def test_unknown_fields_count(field: bytes) -> None:
    check_fields(field * 5)
    with pytest.raises(TooLarge, match="other fields"):
        check_fields(field * 21)


@pytest.mark.parametrize("raw", [b"\x0a", b"\x0a\x05ab", b"\x80" * 11, b"\x2a\x03\x1a\x05a", b"\x99\x06abc", b"\xff"])
def test_what_is_malformed_is_left_to_protobuf(raw: bytes) -> None:
    check_fields(raw)


def test_what_is_malformed_is_counted_up_to_there() -> None:
    with pytest.raises(TooLarge):
        check_fields(b"\x08\x01" * 21 + b"\xff")
