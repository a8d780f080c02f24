"""GGUF headers read without llama.cpp."""

import struct
from pathlib import Path

import pytest

from predictors.serving.errors import ArtifactError
from predictors.summarizer.llama.gguf_header import check_magic, explain, number_arrays
from tests.unit.summarizer.gguf_writer import Value, write_gguf


def test_number_arrays_are_found_among_all_kinds_of_metadata(tmp_path: Path) -> None:
    metadata: dict[str, Value] = {"text": "a", "number": 7, "fraction": 0.5, "layers": [3, 1, 2], "other": [9]}
    path = write_gguf(tmp_path / "model.gguf", "llama", metadata, {"weight": [4]})
    wanted = ["llama.text", "llama.layers", "none"]  # one is a text, one is absent
    assert number_arrays(path, wanted) == {"llama.layers": [3, 1, 2]}


@pytest.mark.llama
@pytest.mark.parametrize("key", ["tokenizer.ggml.tokens", "llama.block_count"])
def test_texts_and_single_numbers_are_no_number_arrays(gguf: Path, key: str) -> None:
    arrays = number_arrays(gguf, ["tokenizer.ggml.token_type", key])
    assert list(arrays) == ["tokenizer.ggml.token_type"]
    assert len(arrays["tokenizer.ggml.token_type"]) == 49152


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not a GGUF file"),
        (b"{}", "is not a GGUF file"),
        (b"GGUF" + struct.pack("<I", 1) + b"x" * 100, "version 1, which llama.cpp no longer reads"),
        (b"GGUF" + struct.pack(">I", 3) + b"x" * 100, "for big-endian machines"),
    ],
)
def test_a_file_that_llama_cpp_cannot_read_is_rejected_by_its_first_bytes(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=rf"^m\.gguf .*{says}"):
        check_magic(path, "m.gguf")


def test_a_file_that_llama_cpp_may_read_passes(tmp_path: Path) -> None:
    check_magic(write_gguf(tmp_path / "model.gguf", "llama", {}, {}), "m.gguf")


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("unknown model architecture: 'odd'", 'm.gguf has the architecture "odd", which this version of'),
        ("tensor 'a' data is not within the file bounds, model is corrupted", "m.gguf is truncated: it ends before"),
        ("invalid split file name: m.gguf", "m.gguf is one part of a model in several files; merge them first"),
        ("failed to load GGUF split from /x/m2.gguf", "m.gguf is one part of a model in several files; m2.gguf is"),
        ("", "m.gguf is truncated or damaged: its header cannot be read"),
        ("failed to load model from m.gguf", "m.gguf is truncated or damaged: its header cannot be read"),
        (
            "unable to allocate CUDA0 buffer",
            "a GPU has too little free memory for the weights of m.gguf: lower --gpu_layers",
        ),
        ("key not found in model: a", "m.gguf cannot be loaded: key not found in model: a"),
    ],
)
def test_reasons_are_put_into_plain_words(reason: str, says: str) -> None:
    assert explain("m.gguf", reason).startswith(says)
