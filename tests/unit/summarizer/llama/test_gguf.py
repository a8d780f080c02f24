"""Inspecting GGUF files: the default model, files made here, and broken ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from predictors.serving.errors import ArtifactError
from predictors.summarizer.llama.gguf import inspect
from predictors.summarizer.llama.quantize import quantize
from tests.unit.summarizer.gguf_writer import Value, write_decoder, write_gguf, write_split

pytestmark = pytest.mark.llama


def test_the_default_model(gguf: Path) -> None:
    inspection = inspect(gguf)
    assert "Smollm2" in inspection.name
    assert inspection.license == "apache-2.0"
    assert inspection.has_chat_template
    assert inspection.shape.architecture == "llama"
    assert inspection.shape.quantization == "Q8_0"


def test_a_model_without_a_template_or_a_name(tmp_path: Path) -> None:
    sizes = {"embedding": 64, "feed_forward": 96, "heads": 4, "kv_heads": 2, "vocabulary": 32, "head_length": 16}
    inspection = inspect(write_decoder(tmp_path / "model.gguf", "llama", **sizes))
    assert not inspection.has_chat_template
    assert inspection.name == inspection.license == ""
    assert inspection.shape.kv_heads == 2


def test_a_mixture_of_experts_counts_those_that_are_used(tmp_path: Path) -> None:
    shape = inspect(write_experts(tmp_path / "model.gguf", experts=4, used=3)).shape
    assert shape.feed_forward == 3 * 96


def write_experts(path: Path, experts: int, used: int) -> Path:
    attention = {"head_count": 4, "head_count_kv": 4, "layer_norm_rms_epsilon": 1e-5}
    metadata: dict[str, Value] = {f"llama.attention.{key}": value for key, value in attention.items()}
    metadata |= {"context_length": 128, "embedding_length": 64, "feed_forward_length": 96, "block_count": 1}
    metadata |= {"vocab_size": 32, "expert_count": experts, "expert_used_count": used}
    tensors = {f"blk.0.attn_{part}.weight": [64, 64] for part in ("q", "k", "v", "output")}
    tensors |= {f"blk.0.{part}_norm.weight": [64] for part in ("attn", "ffn")}
    tensors |= {f"blk.0.ffn_{part}_exps.weight": [64, 96, experts] for part in ("gate", "up")}
    tensors |= {"blk.0.ffn_down_exps.weight": [96, 64, experts], "blk.0.ffn_gate_inp.weight": [64, experts]}
    tensors |= {"token_embd.weight": [64, 32], "output_norm.weight": [64]}
    return write_gguf(path, "llama", metadata, tensors)


def test_where_layers_differ_the_largest_counts(tmp_path: Path) -> None:
    """Metadata with one value per layer, which llama.cpp's functions do not return."""
    heads, kv_heads, feed_forward = [4, 6, 2], [1, 2, 1], [512, 256, 768]
    metadata: dict[str, Value] = {
        "context_length": 512,
        "embedding_length": 64,
        "feed_forward_length": feed_forward,
        "block_count": 3,
        "openelm.attention.head_count": heads,
        "openelm.attention.head_count_kv": kv_heads,
        "openelm.attention.key_length": 16,
        "openelm.attention.value_length": 16,
        "openelm.attention.layer_norm_rms_epsilon": 1e-5,
        "openelm.rope.dimension_count": 16,
        "vocab_size": 32,
    }
    tensors = {"token_embd.weight": [64, 32], "output_norm.weight": [64]}
    for layer in range(3):
        parts = {
            "attn_norm": [64],
            "attn_qkv": [64, 16 * (heads[layer] + 2 * kv_heads[layer])],
            "attn_q_norm": [16],
            "attn_k_norm": [16],
            "attn_output": [16 * heads[layer], 64],
            "ffn_norm": [64],
            "ffn_gate": [64, feed_forward[layer]],
            "ffn_down": [feed_forward[layer], 64],
            "ffn_up": [64, feed_forward[layer]],
        }
        tensors |= {f"blk.{layer}.{part}.weight": lengths for part, lengths in parts.items()}
    shape = inspect(write_gguf(tmp_path / "model.gguf", "openelm", metadata, tensors)).shape
    assert (shape.heads, shape.kv_heads, shape.feed_forward) == (6, 2, 768)


def cut(size: int) -> Callable[[bytes], bytes]:
    return lambda whole: whole[:size]


BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (cut(0), "is not a GGUF file"),
    "text": (lambda whole: b"{}" + whole[:100], "is not a GGUF file"),
    "magic only": (cut(4), "truncated or damaged: its header"),
    "half a header": (cut(2000), "truncated or damaged: its header"),
    "half a vocabulary": (cut(200_000), "truncated or damaged: its header"),
    "half of the tensors": (cut(50_000_000), "truncated: it ends before its last tensor"),
    "the end is missing": (cut(-100), "truncated: it ends before its last tensor"),
    "too many tensors": (lambda whole: whole[:8] + b"\xff" * 7 + whole[15:3000], "truncated or damaged: its header"),
}


@pytest.mark.parametrize(("spoil", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_with_its_fault(
    gguf: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(spoil(gguf.read_bytes()))
    with pytest.raises(ArtifactError, match=rf"^broken\.gguf is .*{reason.removeprefix('is ')}"):
        inspect(path)
    with pytest.raises(ArtifactError, match=rf"^broken\.gguf is .*{reason.removeprefix('is ')}"):
        quantize(path, tmp_path / "out.gguf", "Q4_0", 1, lambda part: None)
    assert [file.name for file in tmp_path.iterdir()] == ["broken.gguf"]


def test_a_part_without_the_others_names_the_missing_one(tmp_path: Path) -> None:
    with pytest.raises(
        ArtifactError, match=r"^model-00001-of-00002\.gguf is .*; model-00002-of-00002\.gguf is missing"
    ):
        inspect(write_split(tmp_path))


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", "nonesuch", {}, {})
    with pytest.raises(ArtifactError, match=r'^model\.gguf has the architecture "nonesuch", which this version'):
        inspect(path)


def test_other_faults_are_reported_in_llama_cpps_words(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", "llama", {}, {})
    with pytest.raises(ArtifactError, match=r"^model\.gguf cannot be loaded: .*llama\.context_length"):
        inspect(path)


def test_a_fault_is_reported_once(tmp_path: Path, gguf: Path) -> None:
    unknown = write_gguf(tmp_path / "odd.gguf", "nonesuch", {}, {})
    header = tmp_path / "header.gguf"
    header.write_bytes(gguf.read_bytes()[:2000])  # llama.cpp gives no reason for this one
    for path, says in ((unknown, "has the architecture"), (header, "its header cannot be read")):
        with pytest.raises(ArtifactError, match=says):
            inspect(path)
    assert inspect(gguf).has_chat_template
