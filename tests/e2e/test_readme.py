"""What the README shows is what comes out."""

import json
import re
import shlex
import subprocess

import pytest

from tests.live import ROOT, LiveServer

SHOWN = re.findall(r"^\$ (curl .*)\n(\{.*\})$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)


def test_there_is_something_to_check() -> None:
    assert len(SHOWN) == 2


@pytest.mark.parametrize(("command", "answer"), SHOWN)
def test_commands_and_their_answers(server: LiveServer, command: str, answer: str) -> None:
    arguments = shlex.split(command.replace("http://localhost:8080", server.url))
    result = subprocess.run([*arguments, "--silent", "--show-error"], capture_output=True, text=True, check=True)
    found, shown = json.loads(result.stdout), json.loads(answer)
    assert found.pop("probabilities") == [pytest.approx(row, abs=1e-3) for row in shown.pop("probabilities")]
    assert found == shown


def test_the_api_document_and_its_links_exist() -> None:
    for target in re.findall(r"\]\((docs/[^)]+)\)", (ROOT / "README.md").read_text("utf-8")):
        assert (ROOT / target.partition("#")[0]).is_file(), target
