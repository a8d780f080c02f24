"""The load generators: real tools, none of them Python, pinned to a core of their own.

wrk asks as fast as answers come (closed loop) over HTTP, ghz over gRPC. oha asks at a rate (open loop): a request
counts from when it was due, so that one which waits for a connection, because earlier ones are late, is late too
(no coordinated omission).
"""

import contextlib
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from predictors.serving.model import kserve_api
from tests.benchmarks.load import parse
from tests.benchmarks.load.cases import GRPC, Case, HttpRequest, grpc_request, http_request
from tests.benchmarks.load.check import METHOD
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.load.servers import Live

INSTALL: Mapping[str, str] = {
    "taskset": "apt-get install util-linux",
    "wrk": "apt-get install wrk",
    "oha": "cargo install --locked oha",
    "ghz": "go install github.com/bojand/ghz/cmd/ghz@v0.120.0",
}
# Connections, twice as many as our server lets wait before it refuses (--max_queue, 64).
CROWD = 128
_PATIENCE_SECONDS = 60.0


class Measured(NamedTuple):
    """What a tool measured, and how busy cores were meanwhile.

    Args:
        load: what it printed.
        server_busy: CPU time of the server, as a share of one core.
        client_busy: the same of the tool.
        others_busy: the same of all else on this machine, and of other machines on its processor (steal).
    """

    load: parse.Load
    server_busy: float
    client_busy: float
    others_busy: float


def find(name: str) -> str:
    """Where a tool is: on PATH, or where cargo and go install to.

    Raises:
        BenchError: nowhere; with the command that installs it.
    """
    home = Path.home()
    folders = [os.environ.get("CARGO_HOME", str(home / ".cargo")) + "/bin", os.environ.get("GOBIN", "")]
    folders += [f"{folder}/bin" for folder in os.environ.get("GOPATH", str(home / "go")).split(os.pathsep)]
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(filter(None, folders)))
    if found is None:
        raise BenchError(f"{name} is not installed: {INSTALL[name]}")
    return found


def versions() -> dict[str, str]:
    """What the tools say of themselves."""
    # wrk ends with a failure when it is asked. ghz knows its version only in builds of its makers, but go knows it.
    wrk = subprocess.run([find("wrk"), "--version"], capture_output=True, text=True, check=False).stdout.split()[1]
    oha = subprocess.run([find("oha"), "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    ghz = subprocess.run([find("ghz"), "--version"], capture_output=True, text=True, check=True)
    said = (ghz.stdout + ghz.stderr).strip()
    if go := shutil.which("go"):
        built = subprocess.run([go, "version", "-m", find("ghz")], capture_output=True, text=True, check=True).stdout
        said = next((line.split()[2] for line in built.splitlines() if line.split()[:1] == ["mod"]), said)
    return {"wrk": wrk, "oha": oha, "ghz": said}


class Tools:
    """The tools, found.

    Args:
        core: where they run.
        connections: how many they keep open, unless told otherwise.
    """

    def __init__(self, core: int, connections: int) -> None:
        self._core = core
        self._connections = connections
        self._paths = {name: find(name) for name in INSTALL}

    def closed(self, case: Case, live: Live, seconds: float) -> Measured:
        """As many requests as come back, on all connections."""
        if case.protocol == GRPC:
            return self._ghz(case, live, seconds)
        request = http_request(case)
        with _file(lua(request)) as script:
            arguments = ["--threads", "1", "--connections", str(self._connections), "--duration", f"{seconds:.0f}s"]
            url = f"http://127.0.0.1:{live.ports.http}{request.path}"
            command = [*arguments, "--timeout", "30s", "--latency", "--script", script, url]
            output, *busy = self._run("wrk", command, live, seconds)
        return Measured(parse.wrk(output), *busy)

    def offered(self, case: Case, live: Live, seconds: float, rate: float) -> Measured:
        """So many requests a second, whatever comes back."""
        output, *busy = self._oha(case, live, seconds, rate, self._connections)
        return Measured(parse.oha(output), *busy)

    def crowd(self, case: Case, live: Live, seconds: float, rate: float) -> Measured:
        """The same over so many connections that the server may refuse some requests."""
        output, *busy = self._oha(case, live, seconds, rate, CROWD)
        return Measured(parse.oha(output, refusals=True), *busy)

    def _oha(
        self, case: Case, live: Live, seconds: float, rate: float, connections: int
    ) -> tuple[str, float, float, float]:
        request = http_request(case)
        with _file(request.body) as body:
            headers = [part for header in request.headers.items() for part in ("-H", ": ".join(header))]
            shape = ["-z", f"{seconds}s", "-w", "-c", str(connections), "-q", f"{rate:.0f}", "--latency-correction"]
            form = ["--no-tui", "--output-format", "json", "--stats-success-breakdown"]
            url = f"http://127.0.0.1:{live.ports.http}{request.path}"
            return self._run("oha", [*shape, *form, "-m", "POST", *headers, "-D", body, url], live, seconds)

    def _ghz(self, case: Case, live: Live, seconds: float) -> Measured:
        with _file(grpc_request(case)) as body, _file(_protoset()) as protoset:
            # The call as it is, without templates in it, is the cheapest for the client.
            call = ["--insecure", "--protoset", protoset, "--call", METHOD, "--binary-file", body]
            plain = ["--disable-template-functions", "--disable-template-data", "--cpus", "1", "--format", "json"]
            several = ["--concurrency", str(self._connections), "--connections", str(self._connections)]
            until = ["--duration", f"{seconds}s", "--duration-stop", "wait"]
            command = [*call, *plain, *several, *until, f"127.0.0.1:{live.ports.grpc}"]
            output, *busy = self._run("ghz", command, live, seconds)
        return Measured(parse.ghz(output), *busy)

    def _run(self, name: str, arguments: list[str], live: Live, seconds: float) -> tuple[str, float, float, float]:
        """The output, and the shares of a core that the server, the client and others took."""
        command = [self._paths["taskset"], "--cpu-list", str(self._core), self._paths[name], *arguments]
        before, started = _clocks(live), time.monotonic()
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=seconds + _PATIENCE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"{name} did not end {_PATIENCE_SECONDS:.0f} s after it should have") from error
        wall = time.monotonic() - started
        if done.returncode:
            raise BenchError(f"{name} ended with status {done.returncode}: {(done.stderr or done.stdout)[-500:]}")
        server, client, machine = (
            (after - at_first) / wall for after, at_first in zip(_clocks(live), before, strict=True)
        )
        return done.stdout, server, client, max(0.0, machine - server - client)


def lua(request: HttpRequest) -> bytes:
    """wrk's script that posts a request; bytes that no Lua string may have, or any other, are escaped."""
    body = "".join(f"\\{byte:03d}" for byte in request.body)
    headers = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in request.headers.items())
    return f'wrk.method = "POST"\n{headers}wrk.body = "{body}"\n'.encode()


def _protoset() -> bytes:
    """The protocol's messages and methods, as KServe's package has them; not every server tells them itself."""
    files = FileDescriptorSet()
    kserve_api.pb.DESCRIPTOR.CopyToProto(files.file.add())
    return files.SerializeToString()


def _clocks(live: Live) -> tuple[float, float, float]:
    """CPU seconds so far: of a server, of the processes that this one has waited for, and of the machine."""
    usage, machine = resource.getrusage(resource.RUSAGE_CHILDREN), psutil.cpu_times()
    # Time of guests is counted as their host's, too.
    busy = sum(machine) - machine.idle - sum(getattr(machine, name, 0.0) for name in ("iowait", "guest", "guest_nice"))
    return live.cpu_seconds(), usage.ru_utime + usage.ru_stime, busy


@contextlib.contextmanager
def _file(content: bytes) -> Iterator[str]:
    """A file with a content, for as long as the block."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.name
