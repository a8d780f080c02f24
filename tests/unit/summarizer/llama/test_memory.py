"""The memory plan against what llama.cpp itself reports, and memory limits of fake cgroups."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.llama import library
from predictors.summarizer.llama.gguf import inspect, read_shape
from predictors.summarizer.llama.library import load_library
from predictors.summarizer.llama.memory import (
    CELL_STEP,
    CUDA_BYTES,
    RUNTIME_BYTES,
    ModelShape,
    fitting_tokens,
    gpu_bytes,
    host_part,
    layers_on_gpu,
    memory_limit,
    memory_plan,
)
from tests.unit.summarizer.gguf_writer import write_decoder

SHAPE = ModelShape(
    architecture="llama",
    parameters=134_515_008,
    model_bytes=144_811_072,
    trained_context=8192,
    layers=30,
    heads=9,
    kv_heads=3,
    key_length=64,
    value_length=64,
    embedding=576,
    feed_forward=1536,
    vocabulary=49152,
    sliding_window=0,
    quantization="Q8_0",
)
GIB = 2**30
# Published dimensions, for each of which another term of the formula is the largest.
DIMENSIONS = {
    "llama 2 7B": ("llama", 4096, 11008, 32, 32, 32000, 128),
    "llama 3 8B": ("llama", 4096, 14336, 32, 8, 128256, 128),
    "gemma 3 4B": ("gemma3", 2560, 10240, 8, 4, 262208, 256),
}


@contextmanager
def unallocated(path: Path) -> Iterator[Any]:
    api = load_library().api
    params = api.llama_model_default_params()
    params.no_alloc, params.load_mode = True, api.LLAMA_LOAD_MODE_NONE
    model = load_library().load_model(path, path.name, params)
    yield model
    api.llama_model_free(model)


def reported(
    model: Any, sequence_tokens: int, sequences: int, batch_tokens: int, log: pytest.LogCaptureFixture
) -> list[float]:
    """Bytes of the KV cache, and of the compute and output buffers, from llama.cpp's log."""
    api = load_library().api
    params = api.llama_context_default_params()
    params.n_ctx = sequence_tokens * sequences
    params.n_seq_max = params.n_outputs_max = sequences
    params.n_batch = params.n_ubatch = batch_tokens
    params.flash_attn_type, params.kv_unified, params.swa_full = 1, False, True
    log.clear()
    with log.at_level(logging.DEBUG, logger=library.__name__):
        api.llama_free(api.llama_init_from_model(model, params))
    patterns = (r"llama_kv_cache: size = +([\d.]+) MiB", r"(?:compute|output) buffer size = +([\d.]+) MiB")
    found = [re.findall(pattern, log.text) for pattern in patterns]
    assert all(found)
    return [sum(map(float, sizes)) * 2**20 for sizes in found]


@pytest.mark.llama
@pytest.mark.parametrize(
    ("sequence_tokens", "sequences", "batch_tokens"),
    [(256, 1, 512), (100, 10, 128), (2048, 3, 128), (2048, 10, 128), (2048, 66, 32), (8192, 10, 8), (32768, 2, 256)],
)
def test_the_plan_bounds_what_the_default_model_takes(
    artifacts: Path, caplog: pytest.LogCaptureFixture, sequence_tokens: int, sequences: int, batch_tokens: int
) -> None:
    path = next((artifacts / "summarizer").glob("*.gguf"))
    with unallocated(path) as model:
        plan = memory_plan(read_shape(model, path), sequence_tokens, sequences, batch_tokens)
        kv_bytes, buffers = reported(model, sequence_tokens, sequences, batch_tokens, caplog)
    assert plan.model_bytes == path.stat().st_size
    assert plan.kv_bytes == pytest.approx(kv_bytes, abs=2**20 / 100)  # the log rounds
    assert buffers <= plan.compute_bytes <= 1.35 * buffers


@pytest.mark.llama
@pytest.mark.parametrize(
    ("sequence_tokens", "sequences", "batch_tokens"), [(512, 1, 128), (2048, 10, 128), (2048, 10, 8), (16384, 4, 128)]
)
@pytest.mark.parametrize("dimensions", DIMENSIONS.values(), ids=DIMENSIONS)
def test_the_plan_bounds_what_larger_models_take(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    dimensions: tuple[Any, ...],
    sequence_tokens: int,
    sequences: int,
    batch_tokens: int,
) -> None:
    names = ("embedding", "feed_forward", "heads", "kv_heads", "vocabulary", "head_length")
    layers = 12 if dimensions[0] == "gemma3" else 2  # every sixth layer of gemma3 attends without a window
    path = write_decoder(
        tmp_path / "model.gguf", dimensions[0], layers=layers, **dict(zip(names, dimensions[1:], strict=True))
    )
    with unallocated(path) as model:
        plan = memory_plan(read_shape(model, path), sequence_tokens, sequences, batch_tokens)
        kv_bytes, buffers = reported(model, sequence_tokens, sequences, batch_tokens, caplog)
    assert plan.kv_bytes == pytest.approx(kv_bytes, abs=2**20 / 50)
    assert buffers <= plan.compute_bytes <= 1.35 * buffers


def test_a_plan_is_the_sum_of_its_parts() -> None:
    plan = memory_plan(SHAPE, 4096, 4, 256)
    assert plan.kv_bytes == 4 * 4096 * 30 * 3 * (64 + 64) * 2
    assert plan.total_bytes == plan.model_bytes + plan.kv_bytes + plan.compute_bytes + RUNTIME_BYTES


def test_each_sequences_cells_are_rounded_up_as_llama_cpp_rounds_them() -> None:
    assert memory_plan(SHAPE, 257, 3, 256) == memory_plan(SHAPE, 512, 3, 256)
    assert memory_plan(SHAPE, 256, 3, 256) != memory_plan(SHAPE, 257, 3, 256)


def test_a_batch_is_never_larger_than_the_cache() -> None:
    assert memory_plan(SHAPE, 256, 2, 1024) == memory_plan(SHAPE, 256, 2, 512)
    assert memory_plan(SHAPE, 256, 2, 512) != memory_plan(SHAPE, 256, 2, 256)


def test_a_sliding_window_needs_a_second_mask() -> None:
    wide = replace(SHAPE, vocabulary=1000)
    windowed = replace(wide, sliding_window=512)
    extra = memory_plan(windowed, 65536, 4, 256).compute_bytes - memory_plan(wide, 65536, 4, 256).compute_bytes
    assert extra == pytest.approx(1.15 * 65536 * 256 * 2)


@given(
    limit=st.integers(-1, 64 * GIB),
    sequences=st.integers(1, 66),
    batch_tokens=st.sampled_from([32, 256, 2048]),
    layers=st.integers(1, 100),
)
def test_the_most_tokens_fit_and_one_step_more_does_not(
    limit: int, sequences: int, batch_tokens: int, layers: int
) -> None:
    shape = replace(SHAPE, layers=layers)
    tokens = fitting_tokens(shape, limit, sequences, batch_tokens)
    assert tokens % CELL_STEP == 0
    if tokens:
        assert memory_plan(shape, tokens, sequences, batch_tokens).total_bytes <= limit
    assert memory_plan(shape, tokens + CELL_STEP, sequences, batch_tokens).total_bytes > limit


def test_without_a_gpu_the_host_has_it_all() -> None:
    assert host_part(SHAPE, 0) == SHAPE
    plan = memory_plan(SHAPE, 4096, 4, 256)
    assert memory_plan(SHAPE, 4096, 4, 256, gpu_layers=0) == plan
    assert gpu_bytes(plan, plan) == 0


@pytest.mark.parametrize(
    ("gpu_layers", "on_gpu", "kept"), [(1, 1, 30), (11, 11, 20), (31, 31, 0), (99, 31, 0), (-1, 31, 0)]
)
def test_layers_on_a_gpu_take_their_weights_and_their_keys_and_values_along(
    gpu_layers: int, on_gpu: int, kept: int
) -> None:
    """The output is a layer too, and the first to go; it has no keys and values."""
    host = host_part(SHAPE, gpu_layers)
    assert layers_on_gpu(SHAPE, gpu_layers) == on_gpu
    assert host.model_bytes == SHAPE.model_bytes * kept // 31
    assert host.cell_bytes * 30 == SHAPE.cell_bytes * kept
    whole, left = (memory_plan(each, 4096, 4, 256) for each in (SHAPE, host))
    assert memory_plan(SHAPE, 4096, 4, 256, gpu_layers) == replace(left, process_bytes=RUNTIME_BYTES + CUDA_BYTES)
    both = whole.model_bytes + whole.kv_bytes + whole.compute_bytes  # the GPU has buffers of its own
    assert gpu_bytes(whole, left) + left.model_bytes + left.kv_bytes == both


@pytest.mark.parametrize("gpu_layers", [0, 10, -1])
def test_what_fits_beside_a_gpu_is_as_much_as_the_plan_allows(gpu_layers: int) -> None:
    limit = 1_500_000_000
    tokens = fitting_tokens(SHAPE, limit, 4, 256, gpu_layers)
    assert memory_plan(SHAPE, tokens, 4, 256, gpu_layers).total_bytes <= limit
    if gpu_layers >= 0:  # else none of the KV cache is in main memory
        assert memory_plan(SHAPE, tokens + CELL_STEP, 4, 256, gpu_layers).total_bytes > limit


def test_nothing_fits_where_the_model_alone_does_not() -> None:
    assert fitting_tokens(SHAPE, SHAPE.model_bytes, 1, 256) == 0


@pytest.mark.llama
def test_the_plan_of_a_file_is_that_of_its_shape(artifacts: Path) -> None:
    assert inspect(next((artifacts / "summarizer").glob("*.gguf"))).shape == SHAPE


def physical_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"memory.max": "104857600\n"}, 104857600),
        ({"memory/memory.limit_in_bytes": "209715200\n"}, 209715200),
        ({"memory.max": "104857600\n", "memory/memory.limit_in_bytes": "52428800\n"}, 52428800),
        ({"memory.max": "max\n"}, None),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),  # how v1 says that there is no limit
        ({"memory.max": "garbage"}, None),
        ({}, None),
    ],
)
def test_the_limit_is_the_cgroups_or_the_machines(tmp_path: Path, files: dict[str, str], expected: int | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_limit(tmp_path) == (expected or physical_bytes())


def test_the_limit_here() -> None:
    assert 0 < memory_limit() <= physical_bytes()
