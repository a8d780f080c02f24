import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import pytest

from predictors.intent.model import IntentPredictor
from predictors.iris.model import IrisPredictor
from predictors.serving.artifacts.artifact import Artifact, pinning_digest
from predictors.serving.artifacts.manifest import read_manifest
from predictors.serving.errors import ArtifactError, ArtifactMissing
from predictors.serving.settings import Source

PREDICTORS = {"iris": IrisPredictor, "intent": IntentPredictor}


@pytest.fixture(params=sorted(PREDICTORS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def copy(kind: str, artifacts: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(artifacts / kind, tmp_path / kind))


def load(directory: Path, digest: str = "", trusted: bool = False, kind: str = "") -> Any:
    model = PREDICTORS[kind or directory.name]("model", Source(directory, digest, trusted))
    model.load()
    return model


def edit(directory: Path, **changes: object) -> None:
    path = directory / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_intact_artifact_loads_its_pickle_free_form(copy: Path) -> None:
    model = load(copy)
    assert (model.ready, model.format, model.version) == (True, "npz", "1")


def test_a_changed_byte_is_refused(copy: Path) -> None:
    path = copy / "model.npz"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ArtifactError, match=r"model\.npz has the sha256 .* but the manifest says"):
        load(copy)


def test_a_half_written_file_is_refused(copy: Path) -> None:
    path = copy / "model.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ArtifactError, match=r"model\.npz has 1000 bytes, but the manifest says"):
        load(copy)


def test_a_missing_file_is_refused(copy: Path) -> None:
    (copy / "model.npz").unlink()
    with pytest.raises(ArtifactError, match=r"model\.npz: the manifest names it, but it is missing"):
        load(copy)


def test_a_half_written_manifest_is_refused(copy: Path) -> None:
    path = copy / "manifest.json"
    path.write_text(path.read_text()[:300])
    with pytest.raises(ArtifactError, match=r"manifest\.json is not a valid manifest"):
        load(copy)


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": 1},
        {"schema_version": 2},
        {"version": "a b"},
        {"files": []},
        {"files": [{"name": "../model.npz", "format": "npz", "sha256": "0" * 64, "size_bytes": 1}]},
        {"files": [{"name": "/etc/passwd", "format": "npz", "sha256": "0" * 64, "size_bytes": 1}]},
        {"files": [{"name": "model.npz", "format": "npz", "sha256": "xyz", "size_bytes": 1}]},
    ],
)
def test_a_manifest_with_nonsense_is_refused(copy: Path, changes: dict[str, object]) -> None:
    edit(copy, **changes)
    with pytest.raises(ArtifactError, match=r"manifest\.json is not a valid manifest"):
        load(copy)


def test_an_empty_directory_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"manifest\.json: there is no artifact here"):
        load(tmp_path, kind=kind)


def test_an_artifact_for_another_predictor_is_refused(artifacts: Path) -> None:
    with pytest.raises(ArtifactError, match="an artifact for intent, not for iris"):
        load(artifacts / "intent", kind="iris")


def test_a_pinned_digest_must_match(copy: Path) -> None:
    _, digest = read_manifest(copy)
    assert load(copy, digest=digest).ready
    edit(copy, version="2")
    with pytest.raises(ArtifactError, match=r"manifest\.json has the digest .* is pinned"):
        load(copy, digest=digest)
    with pytest.raises(ArtifactError, match="must look like sha256:"):
        load(copy, digest="1234")


def test_a_golden_example_that_comes_out_otherwise_is_refused(copy: Path) -> None:
    golden = json.loads((copy / "manifest.json").read_text())["golden"]
    golden[1]["output"]["predict_proba"][0] += 1e-3
    edit(copy, golden=golden)
    with pytest.raises(ArtifactError, match='golden example 1: the output "predict_proba" differs from the manifest'):
        load(copy)


def test_a_golden_example_that_is_no_input_is_refused(copy: Path) -> None:
    edit(copy, golden=[{"input": {"nothing": 1}, "output": {}}])
    with pytest.raises(ArtifactError, match="the golden examples are not valid input"):
        load(copy)


def test_joblib_needs_a_pinned_digest_or_trust(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    edit(copy, files=[entry for entry in manifest["files"] if entry["format"] == "joblib"])
    with pytest.raises(ArtifactError, match=r"model\.joblib is a joblib file, which runs code when loaded"):
        load(copy)
    assert load(copy, trusted=True).format == "joblib"
    assert load(copy, digest=read_manifest(copy)[1]).format == "joblib"
    with pytest.raises(ArtifactError, match="is pinned"):
        load(copy, digest="sha256:" + "0" * 64, trusted=True)


def test_joblib_without_a_manifest_needs_trust(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    with pytest.raises(ArtifactMissing, match="runs code when loaded"):  # the manifest may be on its way
        load(copy)
    assert len(load(copy, trusted=True).version) == 12


def test_joblib_without_a_manifest_can_be_pinned_by_its_own_digest(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    digest = pinning_digest(copy)
    assert digest == f"sha256:{hashlib.sha256((copy / 'model.joblib').read_bytes()).hexdigest()}"
    assert load(copy, digest=digest).format == "joblib"
    other = "sha256:" + "0" * 64
    with pytest.raises(ArtifactMissing, match=f"has the digest {digest}, but {other} is pinned"):
        load(copy, digest=other, trusted=True)


def test_the_digest_that_pins_an_artifact_is_its_manifests(copy: Path) -> None:
    assert pinning_digest(copy) == read_manifest(copy)[1]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("iris", "predictors train iris or predictors artifact pack MODEL.joblib --kind iris makes one"),
        ("summarizer", "predictors fetch or predictors artifact pack MODEL.gguf makes one"),
        ("sklearn", "predictors artifact pack MODEL.joblib --kind sklearn makes one"),
    ],
)
def test_a_missing_manifest_says_what_makes_one(kind: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing) as missing:
        Artifact.open(tmp_path / "none", kind)
    assert str(missing.value) == f"{tmp_path / 'none' / 'manifest.json'}: there is no artifact here; {says}"


def test_an_artifact_in_a_folder_is_pointed_at(copy: Path, tmp_path: Path) -> None:
    """As it is left by an archive that was packed with its folder."""
    directory = tmp_path / "models"
    directory.mkdir()
    copy.rename(directory / "iris-2")
    with pytest.raises(ArtifactMissing, match=r"there is no artifact here; its folder iris-2 has one$"):
        Artifact.open(directory, "iris")


class Bomb:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.trace,))


def test_an_untrusted_joblib_is_never_unpickled(kind: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    joblib.dump(Bomb(trace), tmp_path / "model.joblib")
    with pytest.raises(ArtifactError, match="runs code when loaded"):
        load(tmp_path, kind=kind)
    assert not trace.exists()


def test_a_trusted_joblib_of_something_else_gives_a_reason(kind: str, tmp_path: Path) -> None:
    joblib.dump({"a": 1}, tmp_path / "model.joblib")
    with pytest.raises(ArtifactError, match=f"{tmp_path.name}: {kind} serves a .*, not a dict"):
        load(tmp_path, trusted=True, kind=kind)
    (tmp_path / "model.joblib").write_bytes(b"\x80\x04nonsense")
    with pytest.raises(ArtifactError, match="the joblib file cannot be read"):
        load(tmp_path, trusted=True, kind=kind)


def test_training_twice_gives_the_same_digest(tmp_path: Path) -> None:
    from predictors.iris.train import train

    assert train(tmp_path / "a", "1").digest == train(tmp_path / "b", "1").digest


def test_serving_imports_neither_scikit_learn_nor_scipy(kind: str, artifacts: Path) -> None:
    code = (
        "import sys; from predictors.serving.settings import Source; from pathlib import Path\n"
        f"from predictors.{kind}.model import {PREDICTORS[kind].__name__} as P\n"
        "import predictors.serving.server\n"
        f"P('m', Source(Path({str(artifacts / kind)!r}))).load()\n"
        "print(sorted({'sklearn', 'scipy', 'joblib', 'kubernetes', 'kserve.model_server'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
