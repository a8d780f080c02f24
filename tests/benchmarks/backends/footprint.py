"""What a contender needs besides time: bytes on disk, packages, licences, time to import."""

import re
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

from tests.benchmarks.backends.contenders import Contender, Needs
from tests.live import ROOT

IMPORTS = 5
PROJECT = "kserve-predictors"
_IMPORT = "import time, numpy; started = time.perf_counter(); import {}; print(time.perf_counter() - started)"


@dataclass(frozen=True)
class Packages:
    """The distributions that a contender needs, without numpy.

    Args:
        names: of all of them.
        new: of those that this server does not need anyway.
        bytes: their installed size.
        licence: of the contender's own distribution.
    """

    names: tuple[str, ...]
    new: tuple[str, ...]
    bytes: int
    licence: str


class Environment:
    """The distributions installed in some folder.

    Args:
        path: the folder; None for this environment.
    """

    def __init__(self, path: Path | None = None) -> None:
        found = distributions(path=[str(path)]) if path else distributions()
        self._installed = {_normal(each.metadata["Name"]): each for each in found}

    def closure(self, names: Iterable[str]) -> set[str]:
        """Distributions and all their dependencies, without extras."""
        found: set[str] = set()
        pending = [_normal(name) for name in names]
        while pending:
            name = pending.pop()
            if name in found:
                continue
            found.add(name)
            required = [Requirement(line) for line in self._installed[name].requires or []]
            pending += [
                _normal(one.name) for one in required if one.marker is None or one.marker.evaluate({"extra": ""})
            ]
        return found

    def installed_bytes(self, name: str) -> int:
        """The size of a distribution on disk, including its bytecode."""
        files = [Path(str(file.locate())) for file in self._installed[_normal(name)].files or []]
        return sum(file.stat().st_size for file in files if file.exists())

    def version(self, name: str) -> str:
        """The version of a distribution."""
        return self._installed[_normal(name)].version

    def licence(self, name: str) -> str:
        """The licence that a distribution declares."""
        return _licence(self._installed[_normal(name)])


def packages(needs: Needs, theirs: Environment, ours: Environment) -> Packages:
    """What is installed for a contender."""
    names = theirs.closure(needs.packages) - {"numpy"}
    new = names - ours.closure([PROJECT])
    licence = ", ".join(theirs.licence(name) for name in needs.packages) or "this server's"
    return Packages(tuple(sorted(names)), tuple(sorted(new)), sum(map(theirs.installed_bytes, names)), licence)


def import_seconds(contenders: Sequence[Contender], python: Path) -> dict[str, float]:
    """Seconds to import what each contender imports, after numpy; medians of `IMPORTS` new processes each, in turn."""
    wanted = {each.needs.imports for each in contenders if each.needs is not None}
    times: dict[str, list[float]] = {imports: [] for imports in sorted(wanted)}
    for _ in range(IMPORTS):
        for imports, found in times.items():
            command = [str(python), "-c", _IMPORT.format(imports)]
            run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            found.append(float(run.stdout))
    return {imports: statistics.median(found) for imports, found in times.items()}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(distribution: Distribution) -> str:
    named: list[str] = distribution.metadata.get_all("License-Expression") or []
    classifiers: list[str] = distribution.metadata.get_all("Classifier") or []
    licences = [line.split(" :: ")[-1] for line in classifiers if line.startswith("License ::")]
    return [*named, *licences, "not named"][0]
