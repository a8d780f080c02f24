"""A relay before a server, whose connections can go dark, as when a machine is lost: still open, and nothing comes."""

import socket
import threading
from contextlib import suppress
from typing import Self


class Relay:
    """Passes bytes on, both ways.

    Args:
        port: of the server, on this machine.
    """

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._dark: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in [*self._threads]:
            thread.join()
        for each in (self._listener, *self._open):
            each.close()

    def go_dark(self) -> None:
        """Let nothing through any more on the connections that there are; new ones work."""
        self._dark.update(self._open)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._open += [client, server]
                for pair in ((client, server), (server, client)):
                    self._threads.append(threading.Thread(target=self._pass_on, args=pair))
                    self._threads[-1].start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                if source not in self._dark:
                    sink.sendall(piece)
            sink.shutdown(socket.SHUT_RDWR)
