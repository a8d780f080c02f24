"""Inspecting and quantizing GGUF files: the default model, files made here, and broken ones."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import llama_cpp
import pytest
from typer.testing import CliRunner

from predictors.cli.gguf import app
from predictors.serving.errors import ArtifactError
from predictors.summarizer.llama import log as llama_log
from predictors.summarizer.llama import quantize
from predictors.summarizer.llama.gguf import inspect
from predictors.summarizer.llama.gguf_header import number_arrays
from predictors.summarizer.llama.quantize import Quantized, QuantizeError
from predictors.summarizer.runtime import KEPT_SEQUENCES
from predictors.summarizer.settings import SummarizerSettings
from tests.unit.summarizer.gguf_writer import Value, write_decoder, write_gguf


@pytest.fixture(scope="module")
def model(artifacts: Path) -> Path:
    return next((artifacts / "summarizer").glob("*.gguf"))


class Done(NamedTuple):
    target: Path
    result: Quantized
    progress: list[float]


@pytest.fixture(scope="module")
def quantized(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    target = tmp_path_factory.mktemp("quantized") / "model-q4_1.gguf"
    progress: list[float] = []
    result = quantize.quantize(model, target, "q4_1", 1, progress.append)
    return Done(target, result, progress)


def test_the_default_model(model: Path) -> None:
    inspection = inspect(model)
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
    """Metadata with one value per layer, which llama.cpp's own functions do not give."""
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


def test_arrays_are_found_among_all_kinds_of_metadata(model: Path) -> None:
    kinds = number_arrays(model, ["tokenizer.ggml.token_type", "tokenizer.ggml.tokens", "llama.block_count", "none"])
    assert list(kinds) == ["tokenizer.ggml.token_type"]  # one is of texts, one is no array, one is not there
    assert len(kinds["tokenizer.ggml.token_type"]) == 49152


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
    model: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(spoil(model.read_bytes()))
    with pytest.raises(ArtifactError, match=rf"^broken\.gguf is .*{reason.removeprefix('is ')}"):
        inspect(path)
    with pytest.raises(ArtifactError, match=rf"^broken\.gguf is .*{reason.removeprefix('is ')}"):
        quantize.quantize(path, tmp_path / "out.gguf", "Q4_0", 1, lambda part: None)
    assert [file.name for file in tmp_path.iterdir()] == ["broken.gguf"]


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", "nonesuch", {}, {})
    with pytest.raises(ArtifactError, match=r'^model\.gguf has the architecture "nonesuch", which this version'):
        inspect(path)


def test_other_faults_are_told_in_llama_cpps_words(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", "llama", {}, {})
    with pytest.raises(ArtifactError, match=r"^model\.gguf cannot be loaded: .*llama\.context_length"):
        inspect(path)


def test_a_fault_is_told_once(tmp_path: Path, model: Path) -> None:
    with pytest.raises(ArtifactError):
        inspect(write_gguf(tmp_path / "model.gguf", "nonesuch", {}, {}))
    assert llama_log.take_load_error() == ""
    assert inspect(model).has_chat_template


def test_a_quantized_file_is_whole_and_says_what_it_is(model: Path, quantized: Done) -> None:
    before, after = inspect(model), inspect(quantized.target)
    assert after.shape.quantization == "Q4_1"
    assert after.shape.parameters == before.shape.parameters
    assert (after.name, after.license, after.has_chat_template) == (before.name, before.license, True)
    sizes = (quantized.result.source_bytes, quantized.result.target_bytes)
    assert sizes == (model.stat().st_size, quantized.target.stat().st_size)
    assert sizes[1] < sizes[0]
    assert quantized.result.fallback_tensors == 1  # the embedding has rows of 576, which Q6_K's blocks do not divide


def test_a_quantized_file_computes(quantized: Done) -> None:
    loaded = llama_cpp.llama_model_load_from_file(
        str(quantized.target).encode(), llama_cpp.llama_model_default_params()
    )
    assert loaded
    params = llama_cpp.llama_context_default_params()
    params.n_ctx, params.n_threads = 256, 1
    context = llama_cpp.llama_init_from_model(loaded, params)
    tokens = (llama_cpp.llama_token * 3)(1, 2, 3)
    assert llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(tokens, 3)) == 0
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(loaded)


def test_progress_goes_from_nothing_to_all(quantized: Done) -> None:
    assert quantized.progress[0] == 0
    assert quantized.progress[-1] == 1
    assert quantized.progress == sorted(quantized.progress)
    assert len(quantized.progress) > 200


def test_nothing_but_the_target_is_left(quantized: Done) -> None:
    assert list(quantized.target.parent.iterdir()) == [quantized.target]


@pytest.mark.parametrize(
    ("source", "target", "type_name", "reason"),
    [
        ("model.gguf", "out.gguf", "Q9_9", 'there is no type "Q9_9"; there are Q2_K, .*Q4_K_M.*F16'),
        ("none.gguf", "out.gguf", "Q4_0", "there is no file .*none.gguf"),
        ("model.gguf", "model.gguf", "Q4_0", "onto itself"),
        ("model.gguf", "link.gguf", "Q4_0", "onto itself"),
        ("model.gguf", "old.gguf", "Q4_0", "old.gguf exists; replace it with --force"),
        ("model.gguf", "directory", "Q4_0", "is a directory"),
        ("model.gguf", "none/out.gguf", "Q4_0", "there is no directory .*none"),
    ],
)
def test_what_is_refused_changes_nothing(
    model: Path, tmp_path: Path, source: str, target: str, type_name: str, reason: str
) -> None:
    (tmp_path / "model.gguf").symlink_to(model)
    (tmp_path / "link.gguf").symlink_to(tmp_path / "model.gguf")
    (tmp_path / "old.gguf").write_text("old")
    (tmp_path / "directory").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(QuantizeError, match=reason):
        quantize.quantize(tmp_path / source, tmp_path / target, type_name, 1, lambda part: None)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "old.gguf").read_text() == "old"


@pytest.mark.parametrize("force", [False, True])
def test_an_interruption_leaves_nothing_behind(model: Path, tmp_path: Path, force: bool) -> None:
    target = tmp_path / "out.gguf"
    if force:
        target.write_text("old")

    def interrupt(part: float) -> None:
        if part > 0:
            assert any(file.name.endswith(".partial") for file in tmp_path.iterdir())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantize.quantize(model, target, "F16", 1, interrupt, force=force)
    assert [file.read_text() for file in tmp_path.iterdir()] == (["old"] if force else [])


def test_force_replaces(model: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.gguf"
    target.write_text("old")
    quantize.quantize(model, target, "Q4_1", 1, lambda part: None, force=True)
    assert inspect(target).shape.quantization == "Q4_1"


def test_a_disk_without_room_is_said_before_writing(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=200 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(QuantizeError, match=r"the file will have 258 MiB, and .* has room for 200 MiB"):
        quantize.quantize(model, tmp_path / "out.gguf", "F16", 1, lambda part: None)
    assert not list(tmp_path.iterdir())


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "120"})


def test_inspect_prints_what_the_model_is_and_takes(model: Path) -> None:
    result = run("inspect", model)
    assert result.exit_code == 0
    for text in ("apache-2.0", "134,515,008", "Q8_0, 8.6 bits", "138.1 MiB", "8,192 tokens", "yes", "tokens in a GiB"):
        assert text in result.stdout


def test_inspect_as_json(model: Path) -> None:
    answer = json.loads(run("inspect", model, "--slots", "4", "--context_tokens", "1000", "--json").stdout)
    assert answer["license"] == "apache-2.0"
    assert answer["has_chat_template"] is True
    assert answer["kv_bytes_per_token"] == 23040
    (row,) = answer["memory"]
    assert (row["slots"], row["sequences"], row["context_tokens"]) == (4, 4 + KEPT_SEQUENCES, 1000)
    assert row["kv_bytes"] == (4 + KEPT_SEQUENCES) * 1024 * 23040
    parts = ("model", "kv", "compute", "process")
    assert row["total_bytes"] == sum(row[f"{part}_bytes"] for part in parts)


@pytest.mark.parametrize(
    ("options", "context"), [((), SummarizerSettings().context_tokens), (("--context_tokens", "100000"), 8192)]
)
def test_the_context_is_as_for_serving(model: Path, options: tuple[str, ...], context: int) -> None:
    rows = json.loads(run("inspect", model, *options, "--json").stdout)["memory"]
    assert {row["context_tokens"] for row in rows} == {context}


def test_inspect_says_what_fits_a_small_machine(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predictors.summarizer.llama.memory.memory_limit", lambda: 500_000_000)
    rows = {row["slots"]: row for row in json.loads(run("inspect", model, "--json").stdout)["memory"]}
    assert list(rows) == [1, 2, 4, 8]
    assert 0 < rows[8]["largest_context_tokens"] < rows[1]["largest_context_tokens"] < 8192
    monkeypatch.setattr("predictors.summarizer.llama.memory.memory_limit", lambda: 100_000_000)
    assert "none fits" in run("inspect", model, "--slots", "1").stdout


@pytest.mark.parametrize(
    ("name", "reason"), [("none.gguf", "No such file"), ("text.gguf", "text.gguf is not a GGUF file")]
)
def test_inspect_fails_with_one_sentence(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "text.gguf").write_text("no model")
    result = run("inspect", tmp_path / name)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1


def test_quantize_prints_the_sizes(model: Path, tmp_path: Path) -> None:
    result = run("quantize", model, tmp_path / "out.gguf", "--type", "Q4_1", "--threads", "1")
    assert result.exit_code == 0
    assert "93.8 MiB, 68% of it, in " in result.stdout
    assert inspect(tmp_path / "out.gguf").shape.quantization == "Q4_1"
    result = run("quantize", model, tmp_path / "out.gguf")
    assert result.exit_code == 1
    assert "exists; replace it with --force" in result.stderr


def test_quantize_takes_no_type_that_does_not_exist(model: Path, tmp_path: Path) -> None:
    result = run("quantize", model, tmp_path / "out.gguf", "--type", "tiny")
    assert result.exit_code == 1
    assert 'error: there is no type "tiny"; there are Q2_K' in result.stderr


@pytest.mark.parametrize("name", quantize.TYPES)
def test_every_type_is_one_of_llama_cpps(name: str) -> None:
    number = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{name}")
    assert llama_cpp.llama_ftype_name(number).decode().split()[0] in name
