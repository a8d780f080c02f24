"""An image that stands in for Valkey's, where images are loaded rather than pulled: this machine's redis-server."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.cluster.programs import run
from tests.cluster.settings import Settings

_LIBRARY = re.compile(r"(/\S+)(?: \(0x|$)", re.MULTILINE)


def stand_in(image: str, settings: Settings, scratch: Path) -> None:
    """Build and load an image under the name of Valkey's, if this machine has what that takes; otherwise it is pulled.

    Args:
        image: its name.
        settings: have the command that loads it.
        scratch: for its files.
    """
    server = shutil.which("redis-server")
    if not settings.load or server is None or shutil.which("buildah") is None:
        return
    linked = subprocess.run(["ldd", server], check=True, capture_output=True, text=True).stdout
    for source in (server, *_LIBRARY.findall(linked)):
        name = "/usr/bin/valkey-server" if source == server else source
        target = scratch / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    container = run("buildah", "from", "scratch").strip()
    archive = scratch.with_suffix(".tar")
    run("buildah", "copy", "-q", container, scratch, "/")
    run("buildah", "config", "--env", "PATH=/usr/bin", container)
    run("buildah", "commit", "-q", "--format", "docker", container, image)
    run("buildah", "rm", container)
    run("buildah", "push", "-q", image, f"docker-archive:{archive}:{image}")
    run(*settings.load.split(), archive)
    archive.unlink()
