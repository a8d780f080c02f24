"""Write what is in images, as CycloneDX 1.6: `sbom.py FOLDER IMAGE…` writes FOLDER/NAME.cdx.json of REGISTRY/NAME:TAG.

Syft finds the packages of Debian and of Python. Added here is what it cannot know: the models that an image carries,
with the digest that `predictors artifact digest` prints, and the llama.cpp that llama-cpp-python brings along. The
images are read as `docker save` or `buildah push` writes them, and not run. ``BUILDER`` names one of the two, if both
are there.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

INSTALL = "go install github.com/anchore/syft/cmd/syft@v1.57.1"
MANIFEST = re.compile(r"opt/models/[^/]+/manifest\.json")
# What llama-cpp-python brings along, and the file that has its version, alone between two zero bytes.
BUNDLED = {"llama.cpp": "libllama.so", "ggml": "libggml-base.so.0"}
VERSION = re.compile(rb"\0(\d+\.\d+\.\d+(?:-dev)?)\0")

Component = dict[str, Any]


def main() -> None:
    """Write one file for each image named on the command line."""
    folder, *images = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    if not shutil.which("syft"):
        sys.exit(f"make sbom needs syft in the PATH; with Go: {INSTALL}")
    with tempfile.TemporaryDirectory() as scratch:
        for image in images:
            archive = Path(scratch) / "image.tar"
            save(image, archive)
            target = Path(folder) / f"{image.rpartition('/')[2].partition(':')[0]}.cdx.json"
            bom = completed(scanned(image, archive), read_files(archive))
            target.write_text(json.dumps(bom, indent=1) + "\n")
            archive.unlink()
            print(f"{target}: {len(bom['components'])} components")


def save(image: str, archive: Path) -> None:
    """Write an image to a file, from docker's or buildah's store."""
    builder = os.environ.get("BUILDER") or ("docker" if has_docker() else "buildah")
    if builder == "docker":
        command = ["docker", "save", "--output", str(archive), image]
    elif shutil.which("buildah"):
        command = ["buildah", "push", "--quiet", image, f"docker-archive:{archive}:{image}"]
    else:
        sys.exit("make sbom needs docker (with its engine running) or buildah, whichever built the images")
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:  # noqa: S603
        sys.exit(f"{builder} has no image {image}; `make images` builds it")


def has_docker() -> bool:
    """Whether docker is there, and its engine runs."""
    return bool(shutil.which("docker")) and not subprocess.run(["docker", "info"], capture_output=True).returncode  # noqa: S607


def scanned(image: str, archive: Path) -> Component:
    """What syft finds in an image."""
    name, _, tag = image.rpartition(":")
    command = ["syft", "scan", "--quiet", f"docker-archive:{archive}", "--source-name", name, "--source-version", tag]
    environment = {**os.environ, "SYFT_FILE_METADATA_SELECTION": "none"}  # no entry for each file
    result = subprocess.run([*command, "--output", "cyclonedx-json@1.6"], env=environment, stdout=subprocess.PIPE)  # noqa: S603
    if result.returncode:
        sys.exit(f"syft could not read {image}")
    bom: Component = json.loads(result.stdout)
    return bom


def read_files(archive: Path) -> dict[str, bytes]:
    """The models' manifests and the bundled libraries of an image, by their paths."""
    libraries, found = {*BUNDLED.values()}, {}
    with tarfile.open(archive) as image:
        for layer in json.loads(content(image, image.getmember("manifest.json")))[0]["Layers"]:
            with tarfile.open(fileobj=image.extractfile(layer)) as files:
                for member in files:
                    path = PurePosixPath(member.name.removeprefix("./"))
                    if MANIFEST.fullmatch(str(path)) or (path.name in libraries and member.isfile()):
                        found[str(path)] = content(files, member)
    return found


def content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """The bytes of a file in an archive."""
    stream = archive.extractfile(member)
    assert stream, f"{member.name} is no file"  # noqa: S101
    return stream.read()


def completed(bom: Component, files: dict[str, bytes]) -> Component:
    """An SBOM with the models and the bundled libraries.

    Args:
        bom: what syft found.
        files: as `read_files` returns them.
    """
    # Syft knows GGUF files too, by their headers alone; what it says of the licence is kept.
    known = [each for each in bom["components"] if each["type"] == "machine-learning-model"]
    components = [each for each in bom["components"] if each not in known]
    for component in components:
        if component["name"] == "llama-cpp-python":
            component["components"] = list(bundled(files))
    licenses = {property_of(each, "syft:location:0:path"): each.get("licenses") for each in known}
    own = property_of(bom["metadata"], "syft:image:labels:org.opencontainers.image.licenses")
    for path, data in sorted(files.items()):
        if MANIFEST.fullmatch(path):
            folder = PurePosixPath("/", path).parent
            entries = [str(folder / file["name"]) for file in json.loads(data)["files"]]
            theirs = next((licenses[entry] for entry in entries if licenses.get(entry)), None)
            components.append(model(folder, data, theirs or [{"license": {"id": own}}]))
    return {**bom, "components": components}


def model(folder: PurePosixPath, data: bytes, licenses: list[Any]) -> Component:
    """A model that an image carries.

    Args:
        folder: where it is.
        data: its manifest.
        licenses: its own, or the image's if it was trained here.
    """
    manifest = json.loads(data)
    digest = hashlib.sha256(data).hexdigest()
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{folder}",
        "name": manifest["name"],
        "version": manifest["version"],
        "licenses": licenses,
        "properties": [{"name": "kserve-predictors:artifact_digest", "value": f"sha256:{digest}"}],
        "components": [
            {
                "type": "file",
                "bom-ref": f"model:{folder / file['name']}",
                "name": str(folder / file["name"]),
                "hashes": [{"alg": "SHA-256", "content": file["sha256"]}],
            }
            for file in manifest["files"]
        ],
    }


def bundled(files: dict[str, bytes]) -> Iterator[Component]:
    """What llama-cpp-python brings along."""
    by_name = {PurePosixPath(path).name: data for path, data in files.items()}
    for name, library in BUNDLED.items():
        versions = {*VERSION.findall(by_name.get(library, b""))}
        if len(versions) != 1:
            sys.exit(f"{library} of llama-cpp-python does not say which version of {name} it is: {sorted(versions)}")
        version = versions.pop().decode()
        yield {
            "type": "library",
            "bom-ref": f"bundled:{name}",
            "name": name,
            "version": version,
            "licenses": [{"license": {"id": "MIT"}}],
            "purl": f"pkg:generic/{name}@{version}",
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(by_name[library]).hexdigest()}],
        }


def property_of(component: Component, name: str) -> str:
    """The value of a component's property; empty if it has none of that name."""
    return next((each["value"] for each in component.get("properties", ()) if each["name"] == name), "")


if __name__ == "__main__":
    main()
