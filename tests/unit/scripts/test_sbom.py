"""SBOMs of images: what is added to what syft found, checked against CycloneDX's own schema.

Docker and syft are stood in for: an archive as `docker save` writes it, and a few of the components that syft 1.57.1 finds.
"""

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cyclonedx.schema import _res as schemas

from tests.unit.scripts.programs import program, script

IMAGE = "example.org/team/iris:1.2"
LIBRARIES = {"libllama.so": b"\x7fELF\0llama\x000.5.0-dev\0", "libggml-base.so.0": b"\x7fELF\x000.25.3\0"}
GGUF = "/opt/models/summarizer/tiny.gguf"
FOUND = {
    "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "metadata": {
        "component": {"type": "container", "name": "example.org/team/iris", "version": "1.2"},
        "properties": [{"name": "syft:image:labels:org.opencontainers.image.licenses", "value": "Apache-2.0"}],
    },
    "components": [
        {"type": "library", "name": "libc6", "version": "2.36-9", "purl": "pkg:deb/debian/libc6@2.36-9"},
        {"type": "library", "name": "llama-cpp-python", "version": "0.3.36"},
        {
            "type": "machine-learning-model",
            "name": "Tiny",
            "version": "UNKNOWN",
            "licenses": [{"license": {"id": "MIT"}}],
            "properties": [{"name": "syft:location:0:path", "value": GGUF}],
        },
    ],
}


def packed(files: Mapping[str, bytes]) -> bytes:
    """A tar archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def gguf_manifest() -> bytes:
    files = [{"name": "tiny.gguf", "format": "gguf", "sha256": "0" * 64, "size_bytes": 1}]
    return json.dumps({"name": "tiny", "version": "3", "files": files}).encode()


def image_files(iris: Path) -> dict[str, bytes]:
    lib = "opt/predictors/lib/python3.11/site-packages/llama_cpp/lib"
    models = {"iris": (iris / "manifest.json").read_bytes(), "summarizer": gguf_manifest()}
    return {
        **{f"opt/models/{name}/manifest.json": data for name, data in models.items()},
        **{f"{lib}/{name}": data for name, data in LIBRARIES.items()},
    }


def sbom_of(folder: Path, *layers: Mapping[str, bytes], found: dict[str, Any] = FOUND) -> Any:
    """Run the script on an image of these layers."""
    listed = json.dumps([{"Layers": [f"{number}/layer.tar" for number in range(len(layers))]}]).encode()
    members = {f"{number}/layer.tar": packed(layer) for number, layer in enumerate(layers)}
    (folder / "saved.tar").write_bytes(packed({**members, "manifest.json": listed}))
    (folder / "found.json").write_text(json.dumps(found))
    saved = folder / "saved.tar"
    program(folder, "docker", f"'save' in sys.argv and shutil.copy({str(saved)!r}, sys.argv[3])")
    program(folder, "syft", f"print(open({str(folder / 'found.json')!r}).read())")
    return script("sbom.py", folder / "out", IMAGE, PATH=str(folder))


@pytest.fixture
def sbom(artifacts: Path, tmp_path: Path) -> Any:
    result = sbom_of(tmp_path, {}, image_files(artifacts / "iris"))
    assert result.returncode == 0, result.stderr
    return json.loads((tmp_path / "out/iris.cdx.json").read_text())


def test_it_is_valid_cyclonedx(sbom: Any) -> None:
    folder = Path(schemas.__file__ or "").parent
    texts = {path.name: json.loads(path.read_text()) for path in folder.glob("*.schema.json")}
    resources = [(f"http://cyclonedx.org/schema/{name}", text) for name, text in texts.items()]
    schema = texts["bom-1.6.SNAPSHOT.schema.json"]
    registry = jsonschema_rs.Registry(resources)
    validator = jsonschema_rs.validator_for(schema, registry=registry)
    assert [error.message for error in validator.iter_errors(sbom)] == []
    assert not validator.is_valid({**sbom, "components": [{"type": "model"}]})


def test_models_have_the_digest_that_people_pin(sbom: Any, artifacts: Path) -> None:
    command = [sys.executable, "-m", "predictors", "artifact", "digest", str(artifacts / "iris")]
    digest = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    [iris, summarizer] = [each for each in sbom["components"] if each["type"] == "machine-learning-model"]
    assert (iris["name"], iris["version"], summarizer["name"], summarizer["version"]) == ("iris", "1", "tiny", "3")
    assert [each["value"] for each in iris["properties"]] == [digest]
    files = json.loads((artifacts / "iris/manifest.json").read_text())["files"]
    hashes = {each["name"]: each["hashes"][0]["content"] for each in iris["components"]}
    assert hashes == {f"/opt/models/iris/{file['name']}": file["sha256"] for file in files}


def test_models_have_their_own_licence_or_the_images(sbom: Any) -> None:
    models = {each["name"]: each["licenses"] for each in sbom["components"] if each["type"] == "machine-learning-model"}
    assert models == {"iris": [{"license": {"id": "Apache-2.0"}}], "tiny": [{"license": {"id": "MIT"}}]}


def test_llama_cpp_is_named_with_its_version(sbom: Any) -> None:
    [package] = [each for each in sbom["components"] if each["name"] == "llama-cpp-python"]
    assert {each["name"]: each["version"] for each in package["components"]} == {
        "llama.cpp": "0.5.0-dev",
        "ggml": "0.25.3",
    }


def test_what_a_later_layer_has_counts(artifacts: Path, tmp_path: Path) -> None:
    files = image_files(artifacts / "iris")
    result = sbom_of(tmp_path, {**files, "opt/models/summarizer/manifest.json": b"{}"}, files)
    assert result.returncode == 0, result.stderr


def test_a_library_without_its_version_is_refused(artifacts: Path, tmp_path: Path) -> None:
    files = {path: b"\x7fELF" if "libllama" in path else data for path, data in image_files(artifacts / "iris").items()}
    result = sbom_of(tmp_path, files)
    assert result.returncode == 1
    assert "libllama.so of llama-cpp-python does not say which version of llama.cpp it is" in result.stderr


def test_an_image_that_is_not_there_is_named(tmp_path: Path) -> None:
    program(tmp_path, "docker", "sys.exit('save' in sys.argv)")
    program(tmp_path, "syft", "")
    result = script("sbom.py", tmp_path / "out", IMAGE, PATH=str(tmp_path))
    assert (result.returncode, result.stderr) == (1, f"docker has no image {IMAGE}; `make images` builds it\n")
    assert not any((tmp_path / "out").iterdir())


@pytest.mark.parametrize("missing", ["syft", "docker"])
def test_a_program_that_is_missing_is_named_in_one_sentence(tmp_path: Path, missing: str) -> None:
    if missing == "docker":
        program(tmp_path, "syft", "")
    result = script("sbom.py", tmp_path / "out", IMAGE, PATH=str(tmp_path), BUILDER="")
    assert result.returncode == 1
    assert result.stderr.startswith(f"make sbom needs {missing}")
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(not shutil.which("syft"), reason="syft is not installed")
def test_syft_writes_what_is_expected_here(tmp_path: Path) -> None:
    result = subprocess.run(
        ["syft", "scan", "--quiet", f"dir:{tmp_path}", "--source-name", "a", "--output", "cyclonedx-json@1.6"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    bom = json.loads(result.stdout)
    assert (bom["specVersion"], bom["metadata"]["component"]["name"]) == ("1.6", "a")
