"""The examples of docs/client.md, as they stand there, against real servers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from predictors.client import errors
from predictors.client.errors import ClientError
from tests.live import ROOT, LiveServer

PAGE = (ROOT / "docs/client.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
OF_SUMMARIES = [example for example in EXAMPLES if "stream_summary" in example]


def run(example: str, server: LiveServer, folder: Path) -> str:
    code = example.replace("http://localhost:8080", server.url).replace("localhost:8081", server.grpc_address)
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_there_are_examples() -> None:
    assert (len(EXAMPLES), len(OF_SUMMARIES)) == (8, 1)


def test_examples(server: LiveServer, tmp_path: Path) -> None:
    shown = [run(each, server, tmp_path) for each in EXAMPLES if each not in OF_SUMMARIES]
    for says, output in zip(
        (
            r"setosa (1\.0|0\.9\d*) 1 \w{32}\nquestion\n",
            r"setosa praise\n",
            r"\('setosa',\) \(1, 3\)\n",
            r"the caller's mistake: features input .features. has the shape \[1, 3\]; \[N, 4\] is expected\n",
            "",
            r"the TLS files .* cannot be used: No such file or directory\n",
            "",
        ),
        shown,
        strict=True,
    ):
        assert re.fullmatch(says, output), output


@pytest.mark.llama
def test_examples_of_summaries(summarizer: LiveServer, tmp_path: Path) -> None:
    output = run(OF_SUMMARIES[0], summarizer, tmp_path)
    assert "cost You agree to pay 9 euros a month. ['You agree to pay 9 euros a month.']" in output
    assert output.endswith("True 1.0\n")


def test_the_table_of_errors_is_the_packages() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (yes|no) \| (yes|no) \|$", PAGE, re.MULTILINE)
    kinds = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ClientError)}
    told = {kind.__name__: kind for kind in kinds - {ClientError}}
    assert {name: (retried == "yes", counts == "yes") for name, retried, counts in rows} == {
        name: (kind.retryable, bool(kind.unhealthy)) for name, kind in told.items()
    }
