"""The worked example of docs/models.md, as a reader follows it."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.live import ROOT, LiveServer, serve


def blocks(language: str) -> list[str]:
    page = (ROOT / "docs/models.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def call(live: LiveServer, *rows: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "predictors", "call", "churn", *rows, "--url", live.url, "--json"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_the_example_works_as_it_is_printed(tmp_path: Path) -> None:
    [training] = blocks("python")
    subprocess.run([sys.executable, "-c", training], cwd=tmp_path, check=True, timeout=300)
    [console] = blocks("console")
    *commands, shown = console.replace("\\\n", "").strip().splitlines()
    pack, start, ask = (shlex.split(command.removeprefix("$ ")) for command in commands)
    run = [sys.executable, "-m", "predictors", *pack[1:]]
    subprocess.run(run, cwd=tmp_path, check=True, timeout=300, capture_output=True, env={"PYTHONPATH": str(ROOT)})
    with serve(*start[2:], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}) as live:
        live.wait_ready()
        path = ask[1].removeprefix("http://localhost:8080")
        body = ask[ask.index("-d") + 1]
        answer = httpx.post(
            live.url + path, content=body, headers={"content-type": "application/json"}, timeout=60
        ).json()
        rows = [json.dumps(row) for row in json.loads(body)["instances"]]
        called = call(live, *rows)
        assert (called.returncode, json.loads(called.stdout)["predictions"]) == (0, answer["predictions"])
        refused = call(live, "40", "pro", "1")
        assert refused.returncode == 1
        assert "rows with the columns months, plan, tickets; give each as JSON" in " ".join(refused.stderr.split())
    wanted = json.loads(shown)
    likely, rounded = answer.pop("probabilities"), wanted.pop("probabilities")
    assert answer == wanted
    assert [pytest.approx(row, abs=0.01) for row in rounded] == likely
