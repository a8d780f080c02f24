"""A real Redis or Valkey of a test's own."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import redis

from tests.functions import free_port
from tests.live import wait_for
from tests.programs import find_program, program

PASSWORD = "correct-horse-battery"
_NAMES = ("redis-server", "valkey-server")


def find_redis() -> str | None:
    """The path of redis-server, or of valkey-server, which does the same."""
    return next(filter(None, map(find_program, _NAMES)), None)


def redis_program() -> str:
    """The path of either; the test is skipped without, and fails in CI."""
    return find_redis() or program(_NAMES[0])


class RedisServer:
    """A real server without files, on a Unix socket and a port of this machine.

    Args:
        directory: for its socket and its log; short, as a socket's path has to be.
        binary: its program.
    """

    def __init__(self, directory: Path, binary: str) -> None:
        self.socket, self.log = directory / "socket", directory / "log"
        self._binary = binary
        self.start()

    def start(self) -> None:
        self.port = free_port()
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "unixsocket": str(self.socket),
            "logfile": str(self.log),
            "save": "",
            "requirepass": PASSWORD,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self.process = subprocess.Popen([self._binary, *arguments], stdout=subprocess.DEVNULL)
        self.client = redis.Redis(unix_socket_path=str(self.socket), password=PASSWORD)
        wait_for(self._answers, "Redis")

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with suppress(redis.ConnectionError):
            return bool(self.client.ping())
        return False

    def pause(self) -> None:
        """Stop it where it is: connections stay open and nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()

    def url(self, scheme: str = "unix", password: str = PASSWORD) -> str:
        return f"{scheme}://:{password}@" + (str(self.socket) if scheme == "unix" else f"127.0.0.1:{self.port}/0")
