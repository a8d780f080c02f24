"""A store's folder, and a predictor that reads what is in it."""

import hashlib
import json
import threading
import time
from pathlib import Path
from typing import Any

from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.errors import ArtifactError, StartupError
from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import Job, Limits, Outputs, TensorSpec, TextBatch, TextInput
from predictors.serving.settings import ServerSettings, Source
from predictors.serving.store.registry import StoreRegistry
from predictors.serving.store.settings import StoreSettings
from predictors.serving.telemetry.metrics import Metrics

BROKEN = b"broken"
FILE = "model.npz"


def manifest(content: bytes, **fields: Any) -> str:
    """The manifest of an artifact with one file."""
    entry = {
        "name": FILE,
        "format": "npz",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
    }
    given = {"name": "x", "version": "1", "kind": "told", "files": [entry], "inputs": [], "outputs": []} | fields
    return json.dumps(given)


def put(directory: Path, content: bytes, **fields: Any) -> Path:
    """Write a version: its model answers with the file's content."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / FILE).write_bytes(content)
    (directory / "manifest.json").write_text(manifest(content, **fields))
    return directory


class Told(Predictor[TextBatch]):
    """Answers with what its file says; loading waits for a gate."""

    kind = platform = "told"
    input = TextInput()
    outputs: tuple[TensorSpec, ...] = (TensorSpec("predict", "BYTES", (-1,)),)
    v1_fields = {"predictions": "predict"}  # noqa: RUF012
    limits = Limits(max_rows=10, max_text_chars=10)
    max_queue = 3

    def __init__(self, name: str, source: Source, shelf: "Shelf") -> None:
        super().__init__(name, source)
        self._shelf = shelf
        self.closed = False

    def load_artifact(self, artifact: Artifact) -> None:
        self._shelf.loads.append(f"{self.name}/{self.source.version}")
        self._shelf.gate.wait(60)
        content = artifact.read(artifact.choose())
        if content == BROKEN:
            raise ArtifactError("it is broken")
        self._content, self.closed = content.decode(), False

    def infer(self, batch: TextBatch, job: Job) -> Outputs:
        if batch.texts == ["wait"]:
            self._shelf.answering.set()
            self._shelf.answer_gate.wait(60)
        return {"predict": [self._content] * len(batch.texts)}

    def memory(self) -> dict[str, int]:
        """A model that holds ``grows`` takes more than its file tells, which is known once it is loaded."""
        return {"model": 100 if self._content == "grows" else len(self._content)}

    def close(self) -> None:
        self.closed = True
        self.__dict__.pop("_content", None)


class Shelf:
    """A store and what happened in it.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.loads: list[str] = []
        """The versions that began to load, in order."""
        self.lacking = ""
        """What a model named lacking needs, and the server has not."""
        self.gate = threading.Event()
        self.gate.set()
        self.answering = threading.Event()
        self.answer_gate = threading.Event()

    def put(self, path: str, content: bytes, **fields: Any) -> Path:
        """Write a version, such as ``iris/1``."""
        return put(self.root / path, content, **fields)

    def registry(self, metrics: Metrics, **store: Any) -> StoreRegistry:
        """Its registry; nothing is loaded."""
        return StoreRegistry(self.root, StoreSettings(**store), self._predictor, ServerSettings(), metrics)

    def _predictor(self, kind: str, name: str, directory: Path, version: str) -> Told:
        if kind != Told.kind:
            raise ValueError(f"there is no predictor {kind}")
        if name == "lacking" and self.lacking:
            raise StartupError(self.lacking)
        return Told(name, Source(directory, version=version), self)


def later(seconds: float = 60.0) -> float:
    """A deadline."""
    return time.monotonic() + seconds
