"""Versions of iris that are bad, each in its own way, and a file server that has them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from tests.cluster.archives import Archives, digest, pack, serve
from tests.cluster.cluster import Cluster
from tests.cluster.release import Values
from tests.cluster.settings import Settings
from tests.live import ARTIFACTS

# Imported by Python itself when the server starts, as the artifact's directory is on its path then.
_PATCH = """
import asyncio, random
from predictors.serving.dataplane import Inference

answer = Inference.answer

async def changed(self, batch):
    {change}
    return await answer(self, batch)

Inference.answer = changed
"""
_FAILS = 'if random.random() < 0.2: raise RuntimeError("a fault of this version")'
_SLOW = "await asyncio.sleep(0.05)"
_ON_PATH = [{"name": "PYTHONPATH", "value": "/mnt/models"}]


@dataclass(frozen=True)
class Fault:
    """A version that must not get all of the traffic.

    Args:
        values: of the chart, of the model.
        check: that finds it; empty: it never becomes ready.
    """

    values: Values
    check: str = ""


@dataclass(frozen=True)
class Faults:
    """By name."""

    all: dict[str, Fault] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Fault:
        return self.all[name]


NAMES = ("crash loop", "wrong digest", "never ready", "a fifth fails", "slow", "labels swapped")


def publish_faults(cluster: Cluster, namespace: str, settings: Settings, archives: Archives, scratch: Path) -> Faults:
    """Make the versions, and serve those that have an artifact of their own from a pod in the namespace.

    Args:
        cluster, namespace, settings: for the file server.
        archives: the good versions.
        scratch: directory to make them in.
    """
    swapped, failing, slow = (scratch / name for name in ("swapped", "failing", "slow"))
    pack(_swapped(scratch / "swapped.joblib"), "3", swapped)
    for directory, version, change in ((failing, "4", _FAILS), (slow, "5", _SLOW)):
        pack(ARTIFACTS / "iris/model.joblib", version, directory)
        (directory / "sitecustomize.py").write_text(_PATCH.format(change=change), "utf-8")
    url = serve(cluster, namespace, settings, {path.name: path for path in (swapped, failing, slow)})

    def artifact(path: Path, **more: Any) -> Values:
        return {"storageUri": f"{url}/{path.name}.tar.gz", "digest": digest(path), **more}

    return Faults(
        {
            "crash loop": Fault(
                {"storageUri": archives.second, "digest": archives.second_digest, "args": ["--no_such_flag=1"]}
            ),
            "wrong digest": Fault({"storageUri": archives.second, "digest": "sha256:" + "0" * 64}),
            "never ready": Fault({"storageUri": archives.damaged, "digest": archives.first_digest}),
            "a fifth fails": Fault(artifact(failing, env=_ON_PATH), "errors"),
            "slow": Fault(artifact(slow, env=_ON_PATH), "latency"),
            "labels swapped": Fault(artifact(swapped), "labels"),
        }
    )


def _swapped(file: Path) -> Path:
    """A forest that was trained on permuted classes."""
    data = load_iris()
    joblib.dump(RandomForestClassifier(n_estimators=20, random_state=0).fit(data.data, (data.target + 1) % 3), file)
    return file
