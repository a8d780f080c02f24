"""What the README shows is what comes out."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import ROOT, LiveServer

README = (ROOT / "README.md").read_text("utf-8")
SHOWN = re.findall(r"^\$ (curl .*)\n(\{.*\})$", README, re.MULTILINE)


def test_there_is_something_to_check() -> None:
    assert len(SHOWN) == 2


@pytest.mark.parametrize(("command", "answer"), SHOWN)
def test_commands_and_their_answers(server: LiveServer, command: str, answer: str) -> None:
    arguments = shlex.split(command.replace("http://localhost:8080", server.url))
    result = subprocess.run([*arguments, "--silent", "--show-error"], capture_output=True, text=True, check=True)
    found, shown = json.loads(result.stdout), json.loads(answer)
    assert found.pop("probabilities") == [pytest.approx(row, abs=1e-3) for row in shown.pop("probabilities")]
    assert found == shown


@pytest.mark.llama
def test_the_summary(summarizer: LiveServer, tmp_path: Path) -> None:
    shown = re.search(r"^\$ .venv/bin/predictors summarize terms.txt\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert shown is not None
    clauses = ("You agree to pay 9 euros a month.", "We may change the price at any time.")
    (tmp_path / "terms.txt").write_text(" ".join((*clauses, "You can cancel with 30 days of notice.")))
    command = [sys.executable, "-m", "predictors", "summarize", str(tmp_path / "terms.txt"), "--url", summarizer.url]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == shown[1]


def test_the_api_document_and_its_links_exist() -> None:
    for target in re.findall(r"\]\((docs/[^)]+)\)", README):
        assert (ROOT / target.partition("#")[0]).is_file(), target
