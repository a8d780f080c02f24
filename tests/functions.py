"""The Cloud Function in a process of its own, as the platform runs it: Google's framework over the deployed folder."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.live import ROOT, wait_for

MAIN = ROOT / "deploy/function/main.py"


class LiveFunction(NamedTuple):
    """A running function.

    Args:
        url: of its root.
        pid: of the framework's process, whose child answers.
        log: where it writes.
    """

    url: str
    pid: int
    log: Path


def free_port() -> int:
    """A TCP port of the loopback interface that nothing has taken yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_folder(folder: Path, artifact: Path) -> Path:
    """Put the function and a model in a folder, without what the platform's build would read."""
    shutil.copytree(artifact, folder / "iris")
    shutil.copy(MAIN, folder)
    return folder


@contextmanager
def serve_function(folder: Path) -> Iterator[LiveFunction]:
    """Run the function in a folder until the block ends; its model is loaded with the first request to its path."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("functions-framework")), "--target", "predict"]
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--source", str(folder / "main.py"), "--host", "127.0.0.1", "--port", str(port)],
            cwd=ROOT,
            stdout=out,
            stderr=out,
        )
    url = f"http://127.0.0.1:{port}"
    try:

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            return httpx.get(url + "/robots.txt").status_code > 0

        wait_for(answers, "the function's process to listen")
        yield LiveFunction(url, process.pid, log)
    finally:
        process.terminate()
        process.wait()
