"""Quantizing GGUF files."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from predictors.summarizer.llama import quantize
from predictors.summarizer.llama.gguf import inspect
from predictors.summarizer.llama.library import load_library
from predictors.summarizer.llama.quantize import Quantized, QuantizeError

pytestmark = pytest.mark.llama


class Done(NamedTuple):
    target: Path
    result: Quantized
    progress: list[float]


@pytest.fixture(scope="module")
def quantized(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    target = tmp_path_factory.mktemp("quantized") / "model-q4_1.gguf"
    progress: list[float] = []
    result = quantize.quantize(gguf, target, "q4_1", 1, progress.append)
    return Done(target, result, progress)


def test_a_quantized_file_is_complete_and_describes_itself(gguf: Path, quantized: Done) -> None:
    before, after = inspect(gguf), inspect(quantized.target)
    assert after.shape.quantization == "Q4_1"
    assert after.shape.parameters == before.shape.parameters
    assert (after.name, after.license, after.has_chat_template) == (before.name, before.license, True)
    sizes = (quantized.result.source_bytes, quantized.result.target_bytes)
    assert sizes == (gguf.stat().st_size, quantized.target.stat().st_size)
    assert sizes[1] < sizes[0]
    assert quantized.result.fallback_tensors == 1  # the embedding has rows of 576, which Q6_K's blocks do not divide


def test_a_quantized_file_computes(quantized: Done) -> None:
    library = load_library()
    api = library.api
    loaded = library.load_model(quantized.target, "model.gguf", api.llama_model_default_params())
    params = api.llama_context_default_params()
    params.n_ctx, params.n_threads = 256, 1
    context = api.llama_init_from_model(loaded, params)
    tokens = (api.llama_token * 3)(1, 2, 3)
    assert api.llama_decode(context, api.llama_batch_get_one(tokens, 3)) == 0
    api.llama_free(context)
    api.llama_model_free(loaded)


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
    gguf: Path, tmp_path: Path, source: str, target: str, type_name: str, reason: str
) -> None:
    (tmp_path / "model.gguf").symlink_to(gguf)
    (tmp_path / "link.gguf").symlink_to(tmp_path / "model.gguf")
    (tmp_path / "old.gguf").write_text("old")
    (tmp_path / "directory").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(QuantizeError, match=reason):
        quantize.quantize(tmp_path / source, tmp_path / target, type_name, 1, lambda part: None)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "old.gguf").read_text() == "old"


@pytest.mark.parametrize("force", [False, True])
def test_an_interruption_leaves_nothing_behind(gguf: Path, tmp_path: Path, force: bool) -> None:
    target = tmp_path / "out.gguf"
    if force:
        target.write_text("old")

    def interrupt(part: float) -> None:
        if part > 0:
            assert any(file.name.endswith(".partial") for file in tmp_path.iterdir())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantize.quantize(gguf, target, "F16", 1, interrupt, force=force)
    assert [file.read_text() for file in tmp_path.iterdir()] == (["old"] if force else [])


def test_force_replaces(gguf: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.gguf"
    target.write_text("old")
    quantize.quantize(gguf, target, "Q4_1", 1, lambda part: None, force=True)
    assert inspect(target).shape.quantization == "Q4_1"


def test_a_full_disk_is_reported_before_writing(gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=200 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(QuantizeError, match=r"the file will have 258 MiB, and .* has room for 200 MiB"):
        quantize.quantize(gguf, tmp_path / "out.gguf", "F16", 1, lambda part: None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", quantize.TYPES)
def test_every_type_is_one_of_llama_cpps(name: str) -> None:
    api = load_library().api
    number = getattr(api, f"LLAMA_FTYPE_MOSTLY_{name}")
    assert api.llama_ftype_name(number).decode().split()[0] in name
