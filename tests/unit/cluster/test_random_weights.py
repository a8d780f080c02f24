"""The large model of the cluster's tests against what llama.cpp itself would make of a model with these dimensions."""

import ctypes
import logging
import os
import re
from pathlib import Path

import pytest

from predictors.summarizer.llama import library
from predictors.summarizer.llama.library import load_library
from tests.cluster import random_weights
from tests.cluster.random_weights import F32, model_tensors
from tests.unit.summarizer.gguf_writer import write_gguf

pytestmark = pytest.mark.llama
METADATA = {
    "context_length": random_weights.CONTEXT,
    "embedding_length": random_weights.EMBEDDING,
    "feed_forward_length": random_weights.FEED_FORWARD,
    "block_count": random_weights.LAYERS,
    "vocab_size": random_weights.VOCABULARY,
    "qwen2.attention.head_count": random_weights.HEADS,
    "qwen2.attention.head_count_kv": random_weights.KV_HEADS,
    "qwen2.attention.layer_norm_rms_epsilon": 1e-6,
}


def quantized_types(source: Path, log: pytest.LogCaptureFixture) -> dict[str, str]:
    """The types of matrices after a dry run of llama.cpp's quantization, from its log."""
    api = load_library().api
    params = api.llama_model_quantize_default_params()
    params.ftype, params.nthread, params.dry_run = api.LLAMA_FTYPE_MOSTLY_Q4_K_M, 1, True
    with log.at_level(logging.DEBUG, logger=library.__name__):
        failed = api.llama_model_quantize(os.fsencode(source), os.fsencode(source) + b".out", ctypes.byref(params))
    assert not failed
    text = "".join(record.getMessage().removeprefix("llama.cpp: ") for record in log.records)
    return dict(re.findall(r"\] +(\S+) +- \[[^\]]*\], type = +f32[^\[]*?\((\w+)\)", text))


@pytest.mark.parametrize(("own_output", "mebibytes"), [(True, 1059.89), (False, 934.69)])
def test_its_matrices_are_typed_as_llama_cpp_types_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, own_output: bool, mebibytes: float
) -> None:
    tensors = [*model_tensors(own_output=own_output)]
    source = write_gguf(tmp_path / "holes.gguf", "qwen2", METADATA, {each.name: each.shape[::-1] for each in tensors})
    expected = {each.name: each.kind.name.lower() for each in tensors if each.kind is not F32}
    assert {name: kind.lower() for name, kind in quantized_types(source, caplog).items()} == expected
    assert sum(each.size for each in tensors) == pytest.approx(mebibytes * 2**20, abs=2**20 / 100)
