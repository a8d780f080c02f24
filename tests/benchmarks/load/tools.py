"""The load generators: wrk, oha and ghz, pinned to a core of their own. None of them is written in Python.

wrk (HTTP) and ghz (gRPC) run a closed loop: each connection sends its next request as soon as it has an answer. oha runs
an open loop at a given rate, and counts latency from when a request was due: if earlier ones are late and it has to wait
for a connection, that wait counts too (no coordinated omission).
"""

import contextlib
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.benchmarks.load import cpu, parse
from tests.benchmarks.load.cases import GRPC, METHOD, Case, HttpRequest, grpc_request, http_request, protoset
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.load.servers import Live

INSTALL: Mapping[str, str] = {
    "taskset": "apt-get install util-linux",
    "wrk": "apt-get install wrk",
    "oha": "cargo install --locked oha",
    "ghz": "go install github.com/bojand/ghz/cmd/ghz@v0.120.0",
}
# Connections: twice as many as the requests that this server queues before it refuses more (--max_queue, 64).
CROWD = 128
_PATIENCE_SECONDS = 60.0


class Usage(NamedTuple):
    """Who used the CPU during a measurement.

    Args:
        server: CPU time of the server.
        server_busy: the same, as a share of one core.
        client_busy: CPU time of the load tool, as a share of one core.
        others_busy: that of everything else on this machine, and of other virtual machines on its processor (steal).
    """

    server: cpu.CpuTime
    server_busy: float
    client_busy: float
    others_busy: float


class Measured(NamedTuple):
    """What a tool measured, and who used the CPU meanwhile."""

    load: parse.Load
    usage: Usage


def find(name: str) -> str:
    """The path of a tool: on PATH, or where cargo and go install to.

    Raises:
        BenchError: it is not installed; with the command that installs it.
    """
    home = Path.home()
    folders = [os.environ.get("CARGO_HOME", str(home / ".cargo")) + "/bin", os.environ.get("GOBIN", "")]
    folders += [f"{folder}/bin" for folder in os.environ.get("GOPATH", str(home / "go")).split(os.pathsep)]
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(filter(None, folders)))
    if found is None:
        raise BenchError(f"{name} is not installed: {INSTALL[name]}")
    return found


def versions() -> dict[str, str]:
    """The tools' versions."""
    # wrk exits with a failure after printing its version. ghz only knows its version in release builds; go can tell it.
    wrk = subprocess.run([find("wrk"), "--version"], capture_output=True, text=True, check=False).stdout.split()[1]
    oha = subprocess.run([find("oha"), "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    ghz = subprocess.run([find("ghz"), "--version"], capture_output=True, text=True, check=True)
    said = (ghz.stdout + ghz.stderr).strip()
    if go := shutil.which("go"):
        built = subprocess.run([go, "version", "-m", find("ghz")], capture_output=True, text=True, check=True).stdout
        said = next((line.split()[2] for line in built.splitlines() if line.split()[:1] == ["mod"]), said)
    return {"wrk": wrk, "oha": oha, "ghz": said}


class Tools:
    """The load generators.

    Args:
        core: the CPU that they are pinned to.
        connections: how many they keep open, unless told otherwise.
        needed: which of them will be used.

    Raises:
        BenchError: one of these is not installed.
    """

    def __init__(self, core: int, connections: int, needed: Iterable[str] = INSTALL) -> None:
        self._core = core
        self._connections = connections
        self._paths = {name: find(name) for name in {"taskset", *needed}}

    def closed(self, case: Case, live: Live, seconds: float) -> Measured:
        """Measure a closed loop on all connections."""
        if case.protocol == GRPC:
            return self._ghz(case, live, seconds)
        request = http_request(case)
        with _file(lua(request)) as script:
            arguments = ["--threads", "1", "--connections", str(self._connections), "--duration", f"{seconds:.0f}s"]
            url = f"http://127.0.0.1:{live.ports.http}{request.path}"
            command = [*arguments, "--timeout", "30s", "--latency", "--script", script, url]
            output, usage = self._run("wrk", command, live, seconds)
        return Measured(parse.wrk(output), usage)

    def offered(self, case: Case, live: Live, seconds: float, rate: float) -> Measured:
        """Measure an open loop at a rate, requests/s."""
        output, usage = self._oha(case, live, seconds, rate, self._connections)
        return Measured(parse.oha(output), usage)

    def crowd(self, case: Case, live: Live, seconds: float, rate: float) -> Measured:
        """Measure an open loop over so many connections that the server may refuse requests."""
        output, usage = self._oha(case, live, seconds, rate, CROWD)
        return Measured(parse.oha(output, refusals=True), usage)

    def _oha(self, case: Case, live: Live, seconds: float, rate: float, connections: int) -> tuple[str, Usage]:
        request = http_request(case)
        with _file(request.body) as body:
            headers = [part for header in request.headers.items() for part in ("-H", ": ".join(header))]
            shape = ["-z", f"{seconds}s", "-w", "-c", str(connections), "-q", f"{rate:.0f}", "--latency-correction"]
            form = ["--no-tui", "--output-format", "json", "--stats-success-breakdown"]
            url = f"http://127.0.0.1:{live.ports.http}{request.path}"
            return self._run("oha", [*shape, *form, "-m", "POST", *headers, "-D", body, url], live, seconds)

    def _ghz(self, case: Case, live: Live, seconds: float) -> Measured:
        with _file(grpc_request(case)) as body, _file(protoset()) as methods:
            # Sending the call as it is, without templates, costs the client the least.
            call = ["--insecure", "--protoset", methods, "--call", METHOD, "--binary-file", body]
            plain = ["--disable-template-functions", "--disable-template-data", "--cpus", "1", "--format", "json"]
            several = ["--concurrency", str(self._connections), "--connections", str(self._connections)]
            until = ["--duration", f"{seconds}s", "--duration-stop", "wait"]
            command = [*call, *plain, *several, *until, f"127.0.0.1:{live.ports.grpc}"]
            output, usage = self._run("ghz", command, live, seconds)
        return Measured(parse.ghz(output), usage)

    def _run(self, name: str, arguments: list[str], live: Live, seconds: float) -> tuple[str, Usage]:
        """Run a tool; its output, and who used the CPU until it ended."""
        command = [self._paths["taskset"], "--cpu-list", str(self._core), self._paths[name], *arguments]
        before = _Clocks.read(live)
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=seconds + _PATIENCE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"{name} was still running {_PATIENCE_SECONDS:.0f} s after its time was up") from error
        usage = _Clocks.read(live).since(before)
        if done.returncode:
            raise BenchError(f"{name} ended with status {done.returncode}: {(done.stderr or done.stdout)[-500:]}")
        return done.stdout, usage


class _Clocks(NamedTuple):
    """Readings of CPU time, seconds.

    Args:
        wall: elapsed time.
        server: of the server.
        client: of the processes that this one has started and waited for.
        machine: of everything on the machine.
    """

    wall: float
    server: cpu.CpuTime
    client: float
    machine: float

    @classmethod
    def read(cls, live: Live) -> "_Clocks":
        usage, machine = resource.getrusage(resource.RUSAGE_CHILDREN), psutil.cpu_times()
        # Guest time is part of user time already.
        idle = machine.idle + sum(getattr(machine, name, 0.0) for name in ("iowait", "guest", "guest_nice"))
        client = usage.ru_utime + usage.ru_stime
        return cls(time.monotonic(), cpu.of_tree(live.process), client, sum(machine) - idle)

    def since(self, earlier: "_Clocks") -> Usage:
        wall = self.wall - earlier.wall
        server = self.server.since(earlier.server)
        busy, client = server.total / wall, (self.client - earlier.client) / wall
        machine = (self.machine - earlier.machine) / wall
        return Usage(server, busy, client, max(0.0, machine - busy - client))


def lua(request: HttpRequest) -> bytes:
    """wrk's script that posts a request; every byte of the body is escaped, since a Lua string cannot hold some."""
    body = "".join(f"\\{byte:03d}" for byte in request.body)
    headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in request.headers.items())
    return f'wrk.method = "POST"\n{headers}wrk.body = "{body}"\n'.encode()


@contextlib.contextmanager
def _file(content: bytes) -> Iterator[str]:
    """A file with this content, which is removed when the block ends."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.name
