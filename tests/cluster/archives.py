"""A file server in the cluster, with archives of artifacts."""

import base64
import io
import shutil
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from predictors.iris.model import FLOWER_CLASSES, FLOWER_FEATURES
from tests.cluster.cluster import Cluster, condition
from tests.cluster.programs import run
from tests.cluster.settings import Settings
from tests.live import ARTIFACTS
from tests.waiting import until

_NAME = "files"
_PORT = 8000
# The file is our own, from `make artifacts`.
_PACK = ("artifact", "pack", "--trust_artifact", "--kind")
# The forest was fitted on an array, so its file knows no names.
_FLOWERS = ("--class_names", ",".join(FLOWER_CLASSES), "--features", ",".join(FLOWER_FEATURES))


class Archives(NamedTuple):
    """Artifacts of iris on a file server: URIs of `.tar.gz` files, and digests of manifests.

    Args:
        first, second: versions 1 and 2.
        damaged: version 1 with one byte of its model changed.
        swapped: version 3, which was trained on permuted classes.
        absent: there is no such file.
        first_digest: of version 1's manifest, and of the damaged one's, which is the same.
        second_digest, swapped_digest: of versions 2 and 3.
    """

    first: str
    second: str
    damaged: str
    swapped: str
    absent: str
    first_digest: str
    second_digest: str
    swapped_digest: str


def publish(cluster: Cluster, namespace: str, settings: Settings, scratch: Path) -> Archives:
    """Make the artifacts and serve them from a pod in the namespace.

    Args:
        cluster, namespace: where.
        settings: name the image of the server.
        scratch: directory to make them in.
    """
    first, second, damaged, swapped = (scratch / name for name in ("first", "second", "damaged", "swapped"))
    for directory, version in ((first, "1"), (second, "2")):
        pack_iris(version, directory)
    pack("iris", _train_on_permuted_classes(scratch / "swapped.joblib"), "3", swapped, *_FLOWERS)
    shutil.copytree(first, damaged)
    change_one_byte(damaged / "model.npz")
    directories = {path.name: path for path in (first, second, damaged, swapped)}
    url = serve(cluster, namespace, settings, directories)
    return Archives(
        *(f"{url}/{name}.tar.gz" for name in (*directories, "absent")),
        *map(digest, (first, second, swapped)),
    )


def pack_iris(version: str, directory: Path) -> None:
    """Make an artifact of iris."""
    pack("iris", ARTIFACTS / "iris/model.joblib", version, directory, *_FLOWERS)


def pack(kind: str, model: Path, version: str, directory: Path, *options: str) -> None:
    """Make an artifact of a kind from a scikit-learn model of our own."""
    _predictors(*_PACK, kind, model, "--version", version, "-o", directory, *options)


def digest(directory: Path) -> str:
    """Of an artifact's manifest."""
    return _predictors("artifact", "digest", directory).strip()


def serve(cluster: Cluster, namespace: str, settings: Settings, directories: dict[str, Path]) -> str:
    """Serve each directory as NAME.tar.gz from a pod in the namespace; returns the URL that they are under."""
    return _serve(cluster, namespace, settings, {f"{name}.tar.gz": _pack(path) for name, path in directories.items()})


def _train_on_permuted_classes(file: Path) -> Path:
    data = load_iris()
    joblib.dump(RandomForestClassifier(n_estimators=20, random_state=0).fit(data.data, (data.target + 1) % 3), file)
    return file


def _predictors(*arguments: str | Path) -> str:
    return run(sys.executable, "-m", "predictors", *arguments)


def change_one_byte(file: Path) -> None:
    """In the middle."""
    contents = bytearray(file.read_bytes())
    contents[len(contents) // 2] ^= 1
    file.write_bytes(contents)


def _pack(directory: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for file in sorted(directory.iterdir()):
            tar.add(file, file.name)
    return packed.getvalue()


def _serve(cluster: Cluster, namespace: str, settings: Settings, files: dict[str, bytes]) -> str:
    labels = {"app": _NAME}
    for name, data in files.items():
        # At most 1 MiB each, as a ConfigMap holds no more.
        contents = {name: base64.b64encode(data).decode()}
        cluster.create(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "binaryData": contents}, namespace
        )
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": _NAME},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": _PORT}]},
        },
        namespace,
    )
    metadata = {"name": _NAME, "labels": labels}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _pod(settings, [*files])}
    cluster.create(pod, namespace)
    until(lambda: condition(cluster.get("Pod", _NAME, namespace), "Ready").get("status") == "True", "the file server")
    return f"http://{_NAME}.{namespace}.svc.cluster.local"


def _pod(settings: Settings, files: list[str]) -> dict[str, object]:
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": "files", "projected": {"sources": [{"configMap": {"name": name}} for name in files]}}],
        "containers": [
            {
                "name": _NAME,
                "image": f"{settings.registry}/iris:{settings.tag}",
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-m", "http.server", str(_PORT), "--directory", "/files"],
                "ports": [{"containerPort": _PORT}],
                "readinessProbe": {"tcpSocket": {"port": _PORT}, "periodSeconds": 1},
                "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}},
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                "volumeMounts": [{"name": "files", "mountPath": "/files", "readOnly": True}],
            }
        ],
    }
