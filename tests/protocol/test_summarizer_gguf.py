"""Which GGUF files the summarizer serves, and the reason that readiness gives for the others."""

import json
import shutil
import struct
from pathlib import Path

import httpx
import pytest

from tests.live import LiveServer, serve, wait_for
from tests.unit.summarizer.gguf_writer import write_split

pytestmark = pytest.mark.llama

V1 = "/v1/models/summarizer:predict"


@pytest.fixture(scope="module")
def gguf(artifacts: Path) -> Path:
    """The default model's file."""
    manifest = json.loads((artifacts / "summarizer/manifest.json").read_text())
    return artifacts / "summarizer" / str(manifest["files"][0]["name"])


def changed(gguf: Path, path: Path, old: bytes, new: bytes) -> Path:
    """A copy with some bytes of the header changed."""
    assert len(old) == len(new)
    shutil.copyfile(gguf, path)
    with path.open("r+b") as file:
        at = file.read(4 * 2**20).index(old)
        file.seek(at)
        file.write(new)
    return path


def reason_of(live: LiveServer) -> str:
    def find() -> str:
        answer = httpx.get(live.url + "/v2/health/ready")
        assert answer.status_code == 503
        reason = str(answer.json()["error"])
        return "" if reason.endswith("loading") else reason

    return wait_for(find, "a reason")


def reason(path: Path, *arguments: str) -> str:
    with serve("summarizer", "--gguf", str(path), *arguments) as live:
        found = reason_of(live)
        assert str(path.parent) not in found
        assert httpx.get(live.url + "/v2/health/live").status_code == 200
        assert httpx.post(live.url + V1, json={"instances": ["a"]}).status_code == 503
        assert live.process.poll() is None
        return found


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not a model", "model.gguf is not a GGUF file"),
        (b"", "model.gguf is not a GGUF file"),
        (b"GGUF", "model.gguf is truncated or damaged: its header cannot be read"),
        (b"GGUF\x03\0\0\0" + b"\xff" * 64, "model.gguf is truncated or damaged: its header cannot be read"),
        (b"GGUF\x01\0\0\0" + b"\0" * 64, "model.gguf is a GGUF file of version 1"),
        (None, "model.gguf cannot be read: No such file or directory"),
    ],
)
def test_a_bad_file(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    assert says in reason(path)


def test_a_hidden_file_is_a_file(tmp_path: Path, gguf: Path) -> None:
    path = tmp_path / ".hidden.gguf"
    path.symlink_to(gguf)
    with serve("summarizer", "--gguf", str(path), "--threads", "1") as live:
        live.wait_ready()


def test_a_truncated_file(tmp_path: Path, gguf: Path) -> None:
    path = tmp_path / "half.gguf"
    path.write_bytes(gguf.read_bytes()[: gguf.stat().st_size // 2])
    assert "half.gguf is truncated: it ends before its last tensor does" in reason(path)


def test_one_part_of_a_model_in_several_files(tmp_path: Path) -> None:
    assert "model-00001-of-00002.gguf is one part of a model in several files; merge" in reason(write_split(tmp_path))


def test_an_unknown_architecture(tmp_path: Path, gguf: Path) -> None:
    kind = struct.pack("<IQ", 8, 5)
    path = changed(gguf, tmp_path / "odd.gguf", kind + b"llama", kind + b"lamma")
    assert 'odd.gguf has the architecture "lamma", which this version of llama.cpp does not know' in reason(path)


def test_a_model_without_a_chat_template(tmp_path: Path, gguf: Path) -> None:
    path = changed(gguf, tmp_path / "base.gguf", b"tokenizer.chat_template", b"tokenizer.chat_tempalte")
    assert "base.gguf has no chat template; an instruction-tuned model is needed" in reason(path)


def test_a_cache_that_does_not_fit_the_memory(tmp_path: Path, gguf: Path) -> None:
    key = b"llama.context_length" + struct.pack("<I", 4)
    trained, huge = struct.pack("<I", 8192), struct.pack("<I", 2**24)
    path = changed(gguf, tmp_path / "wide.gguf", key + trained, key + huge)
    found = reason(path, "--context_tokens", str(2**24), "--slots", "64")
    assert f"a KV cache of 66 times {2**24} tokens makes" in found
    fits = int(found.split("--context_tokens ")[1].split(" would fit")[0])
    assert 256 <= fits < 2**24
    assert fits % 256 == 0


def test_a_context_that_is_too_small_for_the_instructions(gguf: Path) -> None:
    assert "--context_tokens 256 is too small: the instructions and an answer need" in reason(
        gguf, "--context_tokens", "256"
    )


def test_a_digest_cannot_be_pinned_for_a_loose_file(gguf: Path) -> None:
    assert "cannot vouch for --gguf" in reason(gguf, "--artifact_digest", "sha256:" + "0" * 64)


def test_a_file_of_ones_own(artifacts: Path, gguf: Path) -> None:
    manifest = json.loads((artifacts / "summarizer/manifest.json").read_text())
    with serve("summarizer", "--gguf", str(gguf), "--context_tokens", "512", "--slots", "1", "--threads", "1") as live:
        live.wait_ready()
        metadata = httpx.get(live.url + "/v2/models/summarizer").json()
        assert metadata["versions"] == [manifest["files"][0]["sha256"][:12]]
        answer = httpx.post(live.url + V1, json={"instances": ["You pay 5 euros."]}, timeout=60)
        assert len(answer.json()["predictions"]) == 1
