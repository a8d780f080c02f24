"""Files that others change while the server runs, as kubelet does with those of a mounted Secret or ConfigMap."""

import stat
from pathlib import Path


def stamp(path: Path) -> tuple[int, ...]:
    """What tells whether a file has changed since the last look; another also if it is gone or cannot be reached.

    Kubelet replaces what is there through symbolic links, so they are followed. The change time tells of new
    permissions, and of content whose writer set the old times again.
    """
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Read a file whole, if that is safe.

    Raises:
        ValueError: it is no regular file, or larger than that.
        OSError: it cannot be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would block for ever
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        raw = file.read(most_bytes + 1)
    if len(raw) > most_bytes:
        raise ValueError(f"it is larger than {most_bytes} bytes")
    return raw
