"""Versions of iris that are bad, each in its own way."""

from dataclasses import dataclass
from typing import TypeAlias

from tests.cluster.archives import Archives
from tests.cluster.release import Values

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
_SLOW = "await asyncio.sleep(0.2)"


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


Faults: TypeAlias = dict[str, Fault]  # by name
NAMES = ("crash loop", "wrong digest", "never ready", "a fifth fails", "slow", "labels swapped")


def faults_of(archives: Archives) -> Faults:
    """The bad versions.

    Args:
        archives: artifacts, all in one folder: KServe reconciles an InferenceService, and writes its routes, only while its
            storage container takes the URIs of both versions.
    """
    second: Values = {"storageUri": archives.second, "digest": archives.second_digest}
    return {
        "crash loop": Fault({**second, "args": ["--no_such_flag=1"]}),
        "wrong digest": Fault({**second, "digest": "sha256:" + "0" * 64}),
        "never ready": Fault({"storageUri": archives.damaged, "digest": archives.first_digest}),
        "a fifth fails": Fault(second, "errors", _PROGRAM.format(change=_FAILS)),
        "slow": Fault(second, "latency", _PROGRAM.format(change=_SLOW)),
        "labels swapped": Fault({"storageUri": archives.swapped, "digest": archives.swapped_digest}, "labels"),
    }
