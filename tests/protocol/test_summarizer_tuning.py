"""A model with a prompt of its own, which says in its own words what matters: through a real server.

The small default model stands for a larger one. Whatever it writes, what its source does not support is quoted.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import ROOT, LiveServer, serve
from tests.protocol.test_summarizer_gguf import reason_of

pytestmark = pytest.mark.llama

V1 = "/v1/models/summarizer:predict"
CHAT = "/openai/v1/chat/completions"
DOCUMENT = (
    "You agree to pay 9 euros a month. We may change the price at any time. We share your address with our partners. "
    "You can cancel with 30 days of notice. Disputes are settled by arbitration."
)
OWN: dict[str, Any] = {
    "reading": "chunks",
    "instructions": {"system": "You read contracts to walruses.", "task": "Contract:\n{text}\n\nPoints:"},
    "examples": [],
    "chat_template": "A chat.{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n",
    "sampling": {"temperature": 0.2, "seed": 5, "repeat_penalty": 1.1},
    "chunk_tokens": 60,
}


def pack(file: Path, directory: Path, settings: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    prompt = directory.with_suffix(".json")
    prompt.write_text(json.dumps(settings), "utf-8")
    options = ["--version", "9", "-o", str(directory), "--instructions_file", str(prompt)]
    command = [sys.executable, "-m", "predictors", "artifact", "pack", str(file), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def gguf(artifacts: Path) -> Path:
    return next((artifacts / "summarizer").glob("*.gguf"))


@pytest.fixture(scope="module")
def tuned(gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of an artifact that brings its prompt."""
    directory = tmp_path_factory.mktemp("artifacts") / "tuned"
    packed = pack(gguf, directory, OWN)
    assert packed.returncode == 0, packed.stderr
    limits = ("--slots", "2", "--request_timeout_seconds", "300")
    with serve("summarizer", "--model_dir", str(directory), *limits) as live:
        yield live.wait_ready()


def reason(*arguments: str) -> str:
    """Why a server does not become ready."""
    with serve("summarizer", *arguments) as live:
        return reason_of(live)


def summarize(live: LiveServer, text: str, **parameters: Any) -> httpx.Response:
    body = {"instances": [text], "parameters": {"mode": "full", **parameters}}
    return httpx.post(live.url + V1, json=body, timeout=300)


def check(text: str, bullets: list[dict[str, Any]]) -> None:
    """Words of the model's own have the source's beside them, and all others are the source's."""
    for bullet in bullets:
        source = " ".join(text[each["start"] : each["end"]] for each in bullet["citations"])
        assert source
        if "quote" in bullet:
            assert bullet["quoted"] is False
            assert bullet["support"] >= 0.5
            assert " ".join(bullet["quote"].split()) == " ".join(source.split())
        else:
            assert bullet["support"] == 1.0
            rest = iter(source.lower().split())
            assert all(word in rest for word in bullet["text"].lower().split())


def test_the_manifest_has_what_was_packed(tuned: LiveServer) -> None:
    assert httpx.get(tuned.url + "/v2/models/summarizer").json()["versions"] == ["9"]
    assert any("documents are read in chunks" in str(line.get("message")) for line in tuned.lines)


def test_the_own_template_counts(tuned: LiveServer, forced: LiveServer) -> None:
    body = {"model": "summarizer", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    own, default = (
        httpx.post(live.url + CHAT, json=body, timeout=300).json()["usage"]["prompt_tokens"] for live in (tuned, forced)
    )
    assert own != default


def test_the_own_prompt_is_what_is_sent(tuned: LiveServer) -> None:
    usage = summarize(tuned, "You agree to pay 9 euros a month.").json()["usage"][0]
    messages = [
        {"role": "system", "content": OWN["instructions"]["system"]},
        {"role": "user", "content": "Contract:\nYou agree to pay 9 euros a month.\n\nPoints:"},
    ]
    body = {"model": "summarizer", "messages": messages, "max_tokens": 1}
    chat = httpx.post(tuned.url + CHAT, json=body, timeout=300).json()
    assert usage["prompt_tokens"] == chat["usage"]["prompt_tokens"]


def test_chunks_are_as_long_as_the_manifest_says(tuned: LiveServer) -> None:
    once = summarize(tuned, "You agree to pay 9 euros a month.").json()["usage"][0]["prompt_tokens"]
    overhead = once - 10
    text = f"{DOCUMENT} {DOCUMENT}"
    usage = summarize(tuned, text).json()["usage"][0]
    assert usage["prompt_tokens"] >= len(text.split()) + 2 * overhead, "at least two chunks of at most 60 tokens"


def test_what_the_model_writes_is_checked(tuned: LiveServer) -> None:
    answer = summarize(tuned, DOCUMENT).json()
    assert answer["usage"][0]["completion_tokens"] > 0
    check(DOCUMENT, answer["bullets"][0])


@pytest.fixture(scope="module")
def forced(artifacts: Path) -> Iterator[LiveServer]:
    """A server of the default artifact, told to rewrite."""
    with serve("summarizer", "--reading", "chunks", "--slots", "2", "--request_timeout_seconds", "300") as live:
        yield live.wait_ready()


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_the_small_model_can_be_forced_to_rewrite(forced: LiveServer, mode: str) -> None:
    answer = summarize(forced, DOCUMENT, mode=mode)
    assert answer.status_code == 200
    assert answer.json()["usage"][0]["mode"] == mode
    check(DOCUMENT, answer.json()["bullets"][0])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"chat_template": "{% for m in messages %}"}, "the setting chat_template is not valid Jinja"),
        ({"chat_template": "Hello."}, "the setting chat_template cannot hold a user's message"),
        ({"chat_template": "{{ ''.__class__.__mro__ }}"}, "the setting chat_template cannot hold a user's message"),
        (
            {
                "chat_template": "{% if messages|length > 2 %}{{ raise_exception('no') }}{% endif %}"
                "{% for m in messages %}{{ m.content }}{% endfor %}",
                "examples": [{"text": "A fee.", "answer": "You pay."}],
            },
            "chat template does not take messages in this order of roles, as its instructions and examples need",
        ),
        ({"temperature": 1}, 'prompt.json has the unknown setting "temperature"'),
        ({"sampling": {"top_p": 2}}, 'prompt.json has a wrong setting "sampling.top_p"'),
        ({"instructions": {"system": "word " * 3000}}, "--context_tokens 2048 is too small"),
    ],
)
def test_a_broken_prompt_is_refused(tmp_path: Path, gguf: Path, settings: dict[str, Any], says: str) -> None:
    file = tmp_path / "prompt.json"
    file.write_text(json.dumps(settings), "utf-8")
    assert says in reason("--gguf", str(gguf), "--instructions_file", str(file))


def test_a_broken_prompt_is_not_packed(tmp_path: Path, gguf: Path) -> None:
    packed = pack(gguf, tmp_path / "bad", {"reading": "pages"})
    assert packed.returncode != 0
    assert "wrong setting" in packed.stderr
    assert "Traceback" not in packed.stderr
    assert not (tmp_path / "bad").exists()


def test_a_broken_manifest_is_refused(tmp_path: Path, artifacts: Path, gguf: Path) -> None:
    manifest = json.loads((artifacts / "summarizer/manifest.json").read_text("utf-8"))
    manifest["settings"] = {"sampling": {"temperature": "hot"}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (tmp_path / gguf.name).symlink_to(gguf)
    assert 'has a wrong setting "sampling.temperature"' in reason("--model_dir", str(tmp_path))
