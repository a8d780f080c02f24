"""The pods' own `/metrics`."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from predictors.rollout.kube.api import KubeError, Object, Pods
from predictors.rollout.metrics.counters import Reading, reading
from predictors.rollout.metrics.exposition import Reader
from predictors.rollout.metrics.source import Look, name_of, uid_of

PATH = "/metrics"
_AT_ONCE = 16
# For all pods together; the way to the pods has a shorter limit of its own for each.
_PATIENCE_SECONDS = 15.0


class PodSource:
    """Asks the pods, several at once.

    Args:
        pods: the way to them; used by several threads.
        patience: what has not answered by then is left out of the look, seconds.
    """

    def __init__(self, pods: Pods, patience: float = _PATIENCE_SECONDS) -> None:
        self._pods = pods
        self._patience = patience
        self._reader = Reader()

    def look(self, stable: Sequence[Object], canary: Sequence[Object], model_name: str) -> Look:
        """Read the counters that the variants' pods have of a model."""
        pods = [*stable, *canary]
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="metrics")
        try:
            asked = {pool.submit(self._read, pod, model_name): pod for pod in pods}
            done, late = wait(asked, self._patience)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        readings: dict[str, Reading] = {}
        faults = [f"pod {name_of(asked[each])} did not answer {PATH} in time" for each in late]
        for each in done:
            _note(each, asked[each], readings, faults)
        return Look(readings, {}, tuple(sorted(faults)))

    def _read(self, pod: Object, model_name: str) -> Reading:
        status, body = self._pods.get(pod, PATH)
        if status != 200:
            raise _Unreadable(f"it answers {status}")
        try:
            return reading(self._reader.points(body), model_name)
        except ValueError as error:
            raise _Unreadable(str(error)) from None


class _Unreadable(Exception):
    """A pod's answer is of no use; the text says why."""


def _note(asked: "Future[Reading]", pod: Object, readings: dict[str, Reading], faults: list[str]) -> None:
    try:
        readings[uid_of(pod)] = asked.result()
    except (KubeError, _Unreadable) as error:
        faults.append(f"{PATH} of pod {name_of(pod)} cannot be read: {error}")
