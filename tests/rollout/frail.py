"""The API server as a program meets it: it is away at times, others write too, and the program itself may end at any write."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from predictors.rollout.kube.api import Conflict, Object, Unavailable
from tests.rollout.clock import Clock
from tests.rollout.server import Server

_T = TypeVar("_T")


class Crash(BaseException):
    """The process that wrote to the API server ends here. Nothing of it may catch this."""


class FrailServer:
    """An `Api` that fails as it is told to.

    Args:
        clock: virtual time.
        server: that does what it is asked.

    `ends_after` says of each write, once it is done, whether the process that asked for it ends there.
    """

    def __init__(self, clock: Clock, server: Server) -> None:
        self.clock = clock
        self.server = server
        self.writes: list[str] = []
        self.ends_after: Callable[[str], bool] = lambda _: False
        self._down_until = 0.0
        self._conflicts = 0

    def cut_api(self, seconds: float) -> None:
        """The API server cannot be reached for a while; KServe and the rest go on."""
        self._down_until = self.clock.now + seconds

    def refuse_writes(self, number: int) -> None:
        """The next writes meet a conflict."""
        self._conflicts = number

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """See `Api.get`."""
        self._reach()
        return self.server.get(kind, namespace, name)

    def list(self, kind: str, namespace: str, labels: str = "") -> list[Object]:
        """See `Api.list`."""
        self._reach()
        return self.server.list(kind, namespace, labels)

    def create(self, thing: Object) -> Object:
        """See `Api.create`."""
        return self._write(f"create {thing['kind']} {thing['metadata']['name']}", partial(self.server.create, thing))

    def replace(self, thing: Object) -> Object:
        """See `Api.replace`."""
        return self._write(f"replace {thing['kind']} {thing['metadata']['name']}", partial(self.server.replace, thing))

    def patch(self, kind: str, namespace: str, name: str, change: Object, *, subresource: str = "") -> Object:
        """See `Api.patch`."""
        write = partial(self.server.patch, kind, namespace, name, change, subresource=subresource)
        return self._write(f"patch {kind} {name}", write)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """See `Api.delete`."""
        self._write(f"delete {kind} {name}", partial(self.server.delete, kind, namespace, name))

    def _reach(self) -> None:
        if self.clock.now < self._down_until:
            raise Unavailable("the API server cannot be reached")

    def _write(self, what: str, write: Callable[[], _T]) -> _T:
        self._reach()
        if self._conflicts:
            self._conflicts -= 1
            raise Conflict("the object was changed meanwhile")
        result = write()
        self.writes.append(what)
        if self.ends_after(what):
            raise Crash(what)
        return result
