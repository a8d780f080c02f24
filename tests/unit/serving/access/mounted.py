"""Files as Kubernetes mounts them of a Secret or a ConfigMap."""

from pathlib import Path


def mount(path: Path, version: str, content: bytes) -> None:
    """Write a file the way the kubelet updates one: behind a symbolic link that is replaced at once.

    Args:
        path: stays the same.
        version: names the folder that the link will lead to.
        content: of the file.
    """
    folder = path.parent
    (folder / version).mkdir()
    (folder / version / path.name).write_bytes(content)
    (folder / "new").symlink_to(version)
    (folder / "new").rename(folder / "..data")
    if not path.is_symlink():
        path.symlink_to(Path("..data") / path.name)
