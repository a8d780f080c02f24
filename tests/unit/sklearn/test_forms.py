"""What is loaded, and what is refused: files of each form that are damaged, hostile, or not trusted."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from predictors.serving.artifacts.files import FileFormat, bytes_entry
from predictors.serving.artifacts.manifest import Manifest
from predictors.serving.artifacts.writing import write_manifest
from predictors.serving.errors import ArtifactError
from predictors.sklearn import skops_file
from predictors.sklearn.model import SklearnPredictor
from predictors.sklearn.skops_file import dump_skops, load_skops
from tests.unit.sklearn.conftest import Artifacts, load, pickled
from tests.unit.sklearn.test_users import predict

X, Y = load_wine(return_X_y=True)


def replace(directory: Path, file_format: FileFormat, data: bytes) -> None:
    """Put other bytes into an artifact, with a manifest that vouches for them: all of it is the attacker's."""
    manifest = Manifest.model_validate_json((directory / "manifest.json").read_bytes())
    name = f"model.{file_format}"
    (directory / name).write_bytes(data)
    write_manifest(directory, manifest.model_copy(update={"files": (bytes_entry(name, file_format, data),)}))


@pytest.fixture
def artifact(tmp_path: Path, artifacts_of_users: Artifacts) -> Path:
    artifacts_of_users.packed("logistic regression").write(tmp_path, "1")
    return tmp_path


class Bomb:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("file_format", ["onnx", "skops", "joblib"])
def test_a_pickle_in_any_place_runs_only_if_it_is_a_trusted_joblib_file(
    file_format: FileFormat, artifact: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    replace(artifact, file_format, pickle.dumps(Bomb(trace)))
    with pytest.raises(ArtifactError):
        load(artifact)
    assert not trace.exists()
    with pytest.raises(ArtifactError):
        load(artifact, trusted=True)
    assert trace.exists() == (file_format == "joblib")


def skops_with(schema: dict[str, Any], source: bytes) -> bytes:
    """A skops file whose object is described otherwise."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as given, zipfile.ZipFile(changed, "w") as archive:
        for member in given.namelist():
            if member != "schema.json":
                archive.writestr(member, given.read(member))
        archive.writestr("schema.json", json.dumps({**json.loads(given.read("schema.json")), **schema}))
    return changed.getvalue()


def test_a_skops_file_that_names_a_function_is_refused_though_its_manifest_approves(artifact: Path) -> None:
    source = (artifact / "model.skops").read_bytes()
    node = {"__class__": "system", "__module__": "posix", "__loader__": "FunctionNode", "content": {"module_path": "posix", "function": "system"}}  # fmt: skip
    replace(artifact, "skops", skops_with(node, source))
    with pytest.raises(ArtifactError, match=r"the skops file holds posix\.system, which nobody approved"):
        load(artifact)
    manifest = Manifest.model_validate_json((artifact / "manifest.json").read_bytes())
    settings = {**manifest.settings, "approved_types": ["posix.system"]}
    write_manifest(artifact, manifest.model_copy(update={"settings": settings}))
    with pytest.raises(ArtifactError, match=r"posix\.system: pin the artifact's manifest"):
        load(artifact)


def test_types_beyond_those_that_skops_trusts_need_approval_and_trust() -> None:
    raw, needed = dump_skops(RandomForestClassifier(3, random_state=0).fit(X, Y))
    assert needed == ["sklearn.tree._tree.Tree"]
    with pytest.raises(ArtifactError, match="which nobody approved"):
        load_skops(raw, [], trusted=True)
    with pytest.raises(ArtifactError, match="pin the artifact's manifest"):
        load_skops(raw, needed, trusted=False)
    assert load_skops(raw, needed, trusted=True).predict(X[:1]) == [0]


def test_a_skops_file_that_unpacks_to_too_much_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    raw, _ = dump_skops(LogisticRegression(max_iter=5000).fit(X, Y))
    monkeypatch.setattr(skops_file, "_MAX_BYTES", 1_000)
    with pytest.raises(ArtifactError, match="at most 1000 are allowed"):
        load_skops(raw, [], trusted=True)


@pytest.mark.parametrize("file_format", ["onnx", "skops"])
@pytest.mark.parametrize("data", [b"", b"nonsense", b"PK\x03\x04" + bytes(100)], ids=["empty", "nonsense", "zip"])
def test_a_damaged_file_is_refused_in_a_sentence(file_format: FileFormat, data: bytes, artifact: Path) -> None:
    replace(artifact, file_format, data)
    with pytest.raises(
        ArtifactError, match=r"ONNX Runtime refuses the file|is not a skops file|has other inputs|outputs"
    ):
        load(artifact)


def test_a_graph_cannot_read_other_files(artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tensor of a graph may be in another file, by its path."""
    (tmp_path / "secret").write_bytes(np.zeros(13 * 3, dtype=np.float64).tobytes())
    monkeypatch.chdir(tmp_path)
    tensor = TensorProto(name="w", data_type=TensorProto.DOUBLE, dims=[13, 3], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "secret"), ("offset", "0"), ("length", str(13 * 3 * 8))):
        tensor.external_data.add(key=key, value=value)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["features", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, [None, 13])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [None, 3])],
        [tensor],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    replace(artifact, "onnx", model.SerializeToString())
    with pytest.raises(ArtifactError, match="ONNX Runtime refuses the file"):
        load(artifact)


def test_a_graph_with_other_inputs_is_refused(artifact: Path) -> None:
    graph = onnx.load_from_string((artifact / "model.onnx").read_bytes())
    graph.graph.input[0].name = "others"
    for node in graph.graph.node:
        node.input[:] = ["others" if name == "features" else name for name in node.input]
    replace(artifact, "onnx", graph.SerializeToString())
    with pytest.raises(ArtifactError, match="the ONNX graph has other inputs than the manifest"):
        load(artifact)


def test_a_graph_with_other_answers_fails_the_golden_examples(artifact: Path, artifacts_of_users: Artifacts) -> None:
    other = next(
        form.data for form in artifacts_of_users.packed("scaler pipeline").forms if form.entry.format == "onnx"
    )
    replace(artifact, "onnx", other)
    with pytest.raises(ArtifactError, match="golden example 0"):
        load(artifact)


def test_without_the_library_of_a_form_the_next_is_served(
    artifact: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    predictor = load(artifact)
    assert predictor.format == "skops"
    assert (
        "an ONNX file needs ONNX Runtime: install kserve-predictors[onnx]; model.skops is served instead" in caplog.text
    )
    monkeypatch.setitem(__import__("sys").modules, "skops.io", None)
    with pytest.raises(
        ArtifactError, match=r"ONNX Runtime.*; a skops file needs skops: install kserve-predictors\[sklearn\]"
    ):
        load(artifact)


def test_another_version_of_scikit_learn_is_warned_of(artifact: Path, caplog: pytest.LogCaptureFixture) -> None:
    manifest = Manifest.model_validate_json((artifact / "manifest.json").read_bytes())
    files = tuple(entry for entry in manifest.files if entry.format == "skops")
    update = {"files": files, "library_versions": {"scikit-learn": "1.2.0"}}
    write_manifest(artifact, manifest.model_copy(update=update))
    load(artifact)
    assert "the model was made with scikit-learn 1.2.0" in caplog.text


def test_a_lone_joblib_file_is_served_if_it_is_trusted(tmp_path: Path) -> None:
    model = LogisticRegression(max_iter=5000).fit(X, Y)
    (tmp_path / "model.joblib").write_bytes(pickled(model))
    with pytest.raises(ArtifactError):
        load(tmp_path)
    predictor = load(tmp_path, trusted=True)
    assert predictor.format == "joblib"
    outputs = predict(predictor, X[:4].tolist())
    assert outputs["predict"].tolist() == model.predict(X[:4]).tolist()  # type: ignore[union-attr]
    np.testing.assert_allclose(outputs["predict_proba"], model.predict_proba(X[:4]))


@pytest.mark.parametrize(
    ("update", "says"),
    [
        ({"outputs": ()}, 'the manifest lacks the output "predict"'),
        ({"feature_names": ("a",)}, "F feature names"),
        ({"class_names": ("a",)}, "1 class names for 3 classes"),
        ({"settings": {"input": "sounds", "task": "classification"}}, "setting input is not valid"),
        ({"settings": {}}, "setting input is not valid: Field required"),
    ],
    ids=["outputs", "features", "classes", "input", "empty"],
)
def test_a_manifest_that_says_too_little_is_refused(update: dict[str, Any], says: str, artifact: Path) -> None:
    manifest = Manifest.model_validate_json((artifact / "manifest.json").read_bytes())
    write_manifest(artifact, manifest.model_copy(update=update))
    with pytest.raises(ArtifactError, match=says):
        load(artifact)


def test_a_failed_load_frees_nothing_that_is_not_there(tmp_path: Path) -> None:
    from predictors.serving.settings import Source

    SklearnPredictor("model", Source(tmp_path)).close()
