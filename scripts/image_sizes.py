"""Print what images add to their base, MB, stored and compressed, and what weighs most: `image_sizes.py IMAGE…`.

For images made with buildah, which can look into them without running them. ``BASE`` names another base.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

BASE = os.environ.get("BASE", "docker.io/library/python:3.11-slim-bookworm")
SHOWN = 8
MEGABYTE = 1_000_000


def main() -> None:
    """Measure each image named on the command line."""
    with tempfile.TemporaryDirectory() as scratch:
        skipped = len(layers(BASE, Path(scratch) / "base"))
        for number, image in enumerate(sys.argv[1:]):
            blobs = layers(image, Path(scratch) / str(number))[skipped:]
            compressed = sum(blob.stat().st_size for blob in blobs)
            stored = sum(unpacked_size(blob) for blob in blobs)
            print(f"{image}: {stored // MEGABYTE} MB above its base, {compressed // MEGABYTE} MB compressed")
            for size, name in largest(image):
                print(f"  {size:>4} MB  {name}")


def buildah(*arguments: str) -> str:
    """Run buildah and return what it prints."""
    result = subprocess.run(["buildah", *arguments], check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603, S607
    return result.stdout.strip()


def layers(image: str, directory: Path) -> list[Path]:
    """The compressed layers of an image, the lowest first."""
    buildah("push", "--quiet", image, f"oci:{directory}")
    blobs = directory / "blobs/sha256"

    def read(descriptor: dict[str, Any]) -> Any:
        return json.loads((blobs / descriptor["digest"].removeprefix("sha256:")).read_text())

    manifest = read(json.loads((directory / "index.json").read_text())["manifests"][0])
    return [blobs / layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]]


def unpacked_size(blob: Path) -> int:
    """The length of a layer once uncompressed, bytes."""
    with gzip.open(blob) as stream:
        return sum(len(chunk) for chunk in iter(lambda: stream.read(1 << 20), b""))


def largest(image: str) -> list[tuple[int, str]]:
    """The heaviest packages and models of an image: size in MB, and name."""
    container = buildah("from", "--pull=never", image)
    try:
        root = Path(buildah("mount", container)) / "opt"
        folders = [*root.glob("predictors/lib/python3*/site-packages/*"), *root.glob("models/*")]
        sizes = [(sum(file.lstat().st_size for file in folder.rglob("*")), folder.name) for folder in folders]
        return [(size // MEGABYTE, name) for size, name in sorted(sizes, reverse=True)[:SHOWN]]
    finally:
        buildah("rm", container)


main()
