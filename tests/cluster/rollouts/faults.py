"""Versions of iris that are bad, each in its own way, and a file server that has them."""

from dataclasses import dataclass, field
from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from tests.cluster.archives import Archives, digest, pack, serve
from tests.cluster.cluster import Cluster
from tests.cluster.release import Values
from tests.cluster.settings import Settings

# Run in the place of the server's own program, with its arguments.
_PROGRAM = """
import asyncio, random, sys
from predictors.cli.app import main
from predictors.serving.dataplane import Inference

answer = Inference.answer

async def changed(self, batch):
    {change}
    return await answer(self, batch)

Inference.answer = changed
sys.argv = ["predictors", "serve", "iris", *sys.argv[1:]]
main()
"""
_FAILS = 'if random.random() < 0.2: raise RuntimeError("a fault of this version")'
_SLOW = "await asyncio.sleep(0.05)"


@dataclass(frozen=True)
class Fault:
    """A version that must not get all of the traffic.

    Args:
        values: of the chart, of the model.
        check: that finds it; empty: it never becomes ready.
        program: Python code that the server runs; empty: its own.
    """

    values: Values
    check: str = ""
    program: str = ""


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
    swapped = scratch / "swapped"
    pack(_swapped(scratch / "swapped.joblib"), "3", swapped)
    url = serve(cluster, namespace, settings, {"swapped": swapped})
    second: Values = {"storageUri": archives.second, "digest": archives.second_digest}
    return Faults(
        {
            "crash loop": Fault({**second, "args": ["--no_such_flag=1"]}),
            "wrong digest": Fault({**second, "digest": "sha256:" + "0" * 64}),
            "never ready": Fault({"storageUri": archives.damaged, "digest": archives.first_digest}),
            "a fifth fails": Fault(second, "errors", _PROGRAM.format(change=_FAILS)),
            "slow": Fault(second, "latency", _PROGRAM.format(change=_SLOW)),
            "labels swapped": Fault({"storageUri": f"{url}/swapped.tar.gz", "digest": digest(swapped)}, "labels"),
        }
    )


def _swapped(file: Path) -> Path:
    """A forest that was trained on permuted classes."""
    data = load_iris()
    joblib.dump(RandomForestClassifier(n_estimators=20, random_state=0).fit(data.data, (data.target + 1) % 3), file)
    return file
