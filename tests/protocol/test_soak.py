"""Two hundred mixed requests, of whom some callers leave: afterwards everything is as it was before."""

import json
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import pytest

from tests.live import LiveServer, serve, wait_for

pytestmark = [pytest.mark.llama, pytest.mark.slow]

REQUESTS = 200
CALLERS = 12
SHARE_THAT_LEAVES = 0.3
V1 = "/v1/models/summarizer:predict"
CHAT, COMPLETIONS = "/openai/v1/chat/completions", "/openai/v1/completions"
IDLE = (
    'model_requests_in_flight{model_name="summarizer"} 0.0',
    'summarizer_slots_busy{model_name="summarizer",model_version="1"} 0.0',
)
WAITING = 'summarizer_prompts_waiting{model_name="summarizer",model_version="1"} 0.0'


@pytest.fixture(scope="module")
def small(artifacts: object) -> Iterator[LiveServer]:
    arguments = ("--context_tokens", "512", "--slots", "4", "--max_queue", "1000", "--request_timeout_seconds", "600")
    with serve("summarizer", *arguments) as live:
        yield live.wait_ready()


def mixed_request(number: int) -> tuple[str, dict[str, Any]]:
    """One of six kinds; some are asked more than once."""
    price = random.Random(number).randint(1, 40)
    text = f"You pay {price} euros."
    stream = bool(number % 2)
    sampling: dict[str, Any] = {"max_tokens": 4, "temperature": (number % 3) / 2}
    if number % 6 < 2:
        return V1, {"instances": [text], "parameters": {**sampling, "max_tokens": 12, "stream": stream}}
    options = {"model": "summarizer", "stream": stream, **sampling}
    if number % 6 < 4:
        return CHAT, {**options, "messages": [{"role": "user", "content": text}]}
    return COMPLETIONS, {**options, "prompt": text}


def leave(server: LiveServer, number: int, path: str, content: bytes) -> None:
    """Send a request, and close the connection some time later, whatever came back by then."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: x\r\nx-request-id: soak-{number}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=60) as raw:
        raw.sendall(head.encode() + content)
        time.sleep(random.Random(-number).uniform(0, 0.5))


def send(server: LiveServer, client: httpx.Client, number: int) -> None:
    path, payload = mixed_request(number)
    if random.Random(number + 0.5).random() < SHARE_THAT_LEAVES:
        leave(server, number, path, json.dumps(payload).encode())
        return
    answer = client.post(path, json=payload, headers={"x-request-id": f"soak-{number}"})
    assert answer.status_code == 200, answer.text
    streams = payload.get("stream") or payload.get("parameters", {}).get("stream")
    assert answer.headers["content-type"].startswith("text/event-stream" if streams else "application/json")
    if streams:
        assert answer.text.endswith("\n\n")
        assert "error" not in answer.text
        assert ("event: done\n" if path == V1 else "data: [DONE]\n") in answer.text


def is_idle(server: LiveServer) -> bool:
    text = httpx.get(server.url + "/metrics", timeout=60).text
    return all(line in text for line in (*IDLE, WAITING))


def soak(server: LiveServer, numbers: range) -> int:
    """Send requests, wait until nothing is under way; gives the memory in use then, bytes."""
    with httpx.Client(base_url=server.url, timeout=600) as client, ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(lambda number: send(server, client, number), numbers))
    wait_for(lambda: is_idle(server), "an idle model")
    return int(psutil.Process(server.process.pid).memory_info().rss)


def test_nothing_is_left_behind(small: LiveServer) -> None:
    half = REQUESTS // 2
    first, second = soak(small, range(half)), soak(small, range(half, REQUESTS))
    assert second - first < 40e6
    lines = [small.access_line(f"soak-{number}") for number in range(REQUESTS)]
    statuses = {line["status"] for line in lines}
    assert statuses <= {"200", "499"}
    assert "499" in statuses
    logged = [line.get("id") for line in small.lines if str(line.get("id", "")).startswith("soak-")]
    assert len(logged) == REQUESTS  # each is counted once
    assert not [line for line in small.lines if line.get("level") in ("warning", "error")]
    answer = httpx.post(small.url + V1, json={"instances": ["You pay 77 euros a month."]}, timeout=300)
    assert answer.json()["bullets"][0][0]["citations"] == [{"start": 0, "end": 25}]
