"""The run asks, averages and reports as it says."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests import eval as evaluation_set
from tests.eval import run, strategies

EXAMPLES = evaluation_set.load(evaluation_set.names())

Answer = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]
CONTEXT_TOKENS = 900


class Stub:
    """A server for whoever evaluates: what it answers is up to the test, and what it was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.chat: Answer = self.naive
        self.predict: Answer = self.good

    def naive(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Refuses what does not fit, by words; says nothing that any document says."""
        tokens = len(body["messages"][1]["content"].split())
        if tokens + body["max_tokens"] > CONTEXT_TOKENS:
            message = f"the prompt has {tokens} tokens; at most {CONTEXT_TOKENS} are allowed"
            return 400, {"error": {"message": message}}
        usage = {"prompt_tokens": tokens, "completion_tokens": 7}
        return 200, {"choices": [{"message": {"content": "Summary:\n- Walruses juggle.\n"}}], "usage": usage}

    def good(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Says one fact of the document, and one thing that is not in it."""
        example = next((example for example in EXAMPLES if example.text == body["instances"][0]), None)
        texts = [example.facts[0].quote if example else body["instances"][0], "Walruses juggle."]
        usage = {
            "prompt_tokens": 90,
            "completion_tokens": 20,
            "mode": body["parameters"]["mode"].replace("auto", "full"),
        }
        bullets: list[dict[str, Any]] = [
            {"text": text, "citations": [], "support": 1.0, "topic": "cost", "gloss": ""} for text in texts
        ]
        return 200, {"predictions": ["\n".join(texts)], "usage": [usage], "bullets": [bullets], "model_version": "v7"}


@contextmanager
def serving(stub: Stub) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/v2/models/summarizer"
            self.answer(200, {"versions": ["v7"]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            stub.asked.append(body)
            paths = {"/openai/v1/chat/completions": stub.chat, "/v1/models/summarizer:predict": stub.predict}
            self.answer(*paths[self.path](body))

        def answer(self, status: int, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None:
            """Keep pytest's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_run_asks_cuts_averages_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub = Stub()
    with serving(stub) as url:
        documents = ["--names", "parking-notice", "concert-tickets", "gym-membership", "--limit", "2"]
        all_of_them = ["--strategies", *strategies.STRATEGIES]
        assert run.main(["--url", url, *documents, *all_of_them, "--out", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "eval.json").read_text("utf-8"))
    assert report["model_version"] == "v7"
    assert report["failures"] == []
    overall = report["overall"]
    assert set(overall) == {"truncation", "fast", "full", "auto", "lead", "oracle"}
    assert {each["documents"] for each in overall.values()} == {2}
    assert overall["oracle"]["recall"]["micro"] == 1
    assert overall["oracle"]["wrong"] == 0
    assert overall["fast"]["recall"]["micro"] == 2 / 16
    assert overall["fast"]["wrong"] == 1 / 2
    assert overall["fast"]["prompt_tokens"] == 180
    assert overall["truncation"]["recall"]["micro"] == 0
    assert overall["truncation"]["wrong"] == 1
    by_name = {(each["document"], each["strategy"]): each for each in report["results"]}
    assert by_name["concert-tickets", "full"]["score"]["faults"][0] == ""
    assert by_name["concert-tickets", "auto"]["summary"]["mode"] == "full"
    spent, led = (by_name["concert-tickets", each]["summary"]["points"] for each in ("fast", "lead"))
    assert sum(len(point["text"].split()) for point in led) <= sum(len(point["text"].split()) for point in spent)

    page = (tmp_path / "eval.md").read_text("utf-8")
    assert "| micro, 2 documents | fast | 12% | 4 | 50% | 50% | 0 | 0 |" in page
    assert "| concert-tickets | auto (full) |" in page
    assert "| `unseen_pairs.json` |" in page
    captured = capsys.readouterr()
    assert "parking-notice" in captured.out
    assert "concert-tickets         fast       1 of 8 facts, 1 of 2 points wrong" in captured.err

    chats = [body for body in stub.asked if "messages" in body]
    sent = {body["messages"][1]["content"] for body in chats}
    assert any(text.endswith(evaluation_set.load(["concert-tickets"])[0].text) for text in sent), (
        "all of a short document"
    )
    fitting = [text for text in sent if len(text.split()) + strategies.ANSWER_TOKENS <= CONTEXT_TOKENS]
    assert len(fitting) == 2
    assert max(len(text.split()) for text in fitting) > 0.9 * (CONTEXT_TOKENS - strategies.ANSWER_TOKENS)
    assert {body["temperature"] for body in chats} == {0}


def test_a_document_is_cut_beforehand_if_so_wished(tmp_path: Path) -> None:
    stub = Stub()
    arguments = ["--names", "concert-tickets", "--strategies", "truncation", "--truncate_tokens", "100"]
    with serving(stub) as url:
        assert run.main(["--url", url, *arguments, "--out", str(tmp_path)]) == 0
    assert len(stub.asked) == 1
    assert len(stub.asked[0]["messages"][1]["content"]) == len(strategies.TASK) + 440


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (500, {"error": "internal error"}, "status 500"),
        (400, {"error": 'unknown parameter "mode"'}, "unknown parameter"),
        (200, {"predictions": ["-"]}, "usage"),
    ],
)
def test_a_failing_server_is_told_and_the_rest_is_measured(
    tmp_path: Path, status: int, content: dict[str, Any], reason: str
) -> None:
    stub = Stub()
    stub.predict = lambda body: (status, content)
    arguments = ["--names", "concert-tickets", "--strategies", "fast", "truncation"]
    with serving(stub) as url:
        assert run.main(["--url", url, *arguments, "--out", str(tmp_path)]) == 1
    report = json.loads((tmp_path / "eval.json").read_text("utf-8"))
    assert [reason in failure for failure in report["failures"]] == [True]
    assert set(report["overall"]) == {"truncation", "oracle"}


def test_documents_of_ones_own_are_evaluated(tmp_path: Path) -> None:
    (tmp_path / "lease.txt").write_text("The rent is €50 a month.", "utf-8")
    (tmp_path / "lease.facts.json").write_text('[{"fact": "rent", "pattern": "€50"}]', "utf-8")
    with serving(Stub()) as url:
        assert run.main(["--url", url, "--documents", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
        with pytest.raises(SystemExit, match="has no NAME"):
            run.main(["--url", url, "--documents", str(tmp_path / "out")])
    report = json.loads((tmp_path / "out/eval.json").read_text("utf-8"))
    assert set(report["overall"]) == {"fast", "lead"}
    assert report["overall"]["fast"]["recall"]["micro"] == 1
    assert report["overall"]["fast"]["wrong"] == 1 / 2


def test_ctrl_c_prints_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    stub = Stub()
    left = threading.Event()

    def interrupt(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        os.kill(os.getpid(), signal.SIGINT)
        assert left.wait(60)
        return 500, {}

    def second(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return interrupt(body) if len(stub.asked) == 2 else stub.good(body)

    stub.predict = second
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    with serving(stub) as url:
        try:
            assert run.main(["--url", url, "--strategies", "fast"]) == 0
        finally:
            left.set()
            signal.signal(signal.SIGINT, before)
    output = capsys.readouterr().out
    assert "concert-tickets" in output
    assert "micro, 1 documents" in output


def test_documents_at_the_same_time_give_the_same_results(tmp_path: Path) -> None:
    arguments = ["--limit", "4", "--strategies", "fast"]
    reports = []
    for concurrency in ("1", "4"):
        with serving(Stub()) as url:
            assert run.main(["--url", url, *arguments, "--concurrency", concurrency, "--out", str(tmp_path)]) == 0
        overall = json.loads((tmp_path / "eval.json").read_text("utf-8"))["overall"]
        reports.append({strategy: {**each, "seconds": None} for strategy, each in overall.items()})
    assert reports[0] == reports[1]
