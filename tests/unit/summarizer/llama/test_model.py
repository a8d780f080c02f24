"""Loading a model: what llama.cpp is told."""

import ctypes
from pathlib import Path
from typing import Any

import pytest

from predictors.serving.errors import ArtifactError
from predictors.summarizer.llama.library import load_library
from predictors.summarizer.llama.model import LlamaModel

pytestmark = pytest.mark.llama


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of layers on a GPU that llama.cpp is given; it believes that there is one."""
    api, numbers = load_library().api, []
    load = api.llama_model_load_from_file

    def record(path: bytes, params: Any) -> Any:
        numbers.append(params.n_gpu_layers)
        named = ctypes.cast(params.devices, ctypes.POINTER(ctypes.c_void_p)) if params.devices else None
        # No list means all devices, and an empty one none: what nobody asked for is left alone.
        assert (named is None) == (params.n_gpu_layers != 0)
        assert named is None or named[0] is None
        return load(path, params)

    monkeypatch.setattr(api, "llama_model_load_from_file", record)
    monkeypatch.setattr(api, "llama_supports_gpu_offload", lambda: True)
    return numbers


@pytest.mark.parametrize("layers", [0, 12, -1])
def test_layers_on_a_gpu_reach_llama_cpp(gguf: Path, told: list[int], layers: int) -> None:
    LlamaModel(gguf, gguf.name, gpu_layers=layers).close()
    assert told == [layers]


def test_by_default_no_layer_is_on_a_gpu(gguf: Path, told: list[int]) -> None:
    LlamaModel(gguf, gguf.name).close()
    assert told == [0]


@pytest.mark.skipif("load_library().api.llama_supports_gpu_offload()", reason="there is a GPU")
def test_layers_on_a_gpu_need_one(gguf: Path) -> None:
    with pytest.raises(ArtifactError, match=r"--gpu_layers is 12, but llama\.cpp finds no GPU") as refused:
        LlamaModel(gguf, gguf.name, gpu_layers=12)
    assert "LLAMA_BACKEND=cuda" in str(refused.value)
