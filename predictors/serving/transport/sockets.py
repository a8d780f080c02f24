"""The sockets that the server listens on."""

import socket
import stat
from pathlib import Path

from predictors.serving.errors import StartupError
from predictors.serving.settings import ServerSettings

BACKLOG = 2048


def listen(settings: ServerSettings) -> socket.socket:
    """Open the socket of REST: a port, or a Unix socket.

    Raises:
        StartupError: it is taken.
    """
    if settings.uds:
        return _listen_on_path(Path(settings.uds))
    return listen_on_port(settings.host, settings.http_port, "http_port")


def listen_on_port(host: str, port: int, flag: str) -> socket.socket:
    """Open a port.

    Args:
        host: the address.
        port: its number; 0 is one that is free.
        flag: the setting that names the port.

    Raises:
        StartupError: it is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise StartupError(
            f"cannot listen on {host} port {port} ({error.strerror}); choose another with --{flag}"
        ) from None
    listener.setblocking(False)
    return listener


def _listen_on_path(path: Path) -> socket.socket:
    """Open a Unix socket; one that a server left behind is replaced, and nothing else."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _is_served(path):
            path.unlink()
        listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartupError(f"cannot listen on {path} ({error.strerror or error}); choose another with --uds") from None
    listener.setblocking(False)
    return listener


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0
