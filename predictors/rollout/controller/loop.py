"""Turns for every InferenceRollout: each as often as it needs, several at once, and none held up by another."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from predictors.rollout.controller.reconcile import Reconciler
from predictors.rollout.controller.telemetry import Telemetry
from predictors.rollout.kube.api import Api, Conflict, KubeError, Object, Refused

log = logging.getLogger(__name__)
# Between two turns of a rollout that is under way, and of one that is at rest, seconds.
BUSY_SECONDS = 2.0
IDLE_SECONDS = 15.0
# Between two looks at what InferenceRollouts there are, and the longest while the API server is away.
_LIST_SECONDS = 1.0
_LONGEST_BACKOFF_SECONDS = 30.0
_AT_ONCE = 16


@dataclass
class _Known:
    """An InferenceRollout that was seen.

    Args:
        reconciler: drives it.
        wanted: its generation and annotations at the last turn: a change of them is looked at at once.
        due: when its next turn is, monotonic seconds.
        failures: turns without an answer of the API server, one after the other.
        running: whether a turn runs now.
    """

    reconciler: Reconciler
    wanted: object = None
    due: float = 0.0
    failures: int = 0
    running: bool = False


class Loop:
    """Drives all InferenceRollouts of some namespaces.

    Args:
        api: the API server.
        namespaces: which; none: all.
        reconciler: makes what drives one of them.
        telemetry: is told what happens.
    """

    def __init__(
        self, api: Api, namespaces: Sequence[str], reconciler: Callable[[], Reconciler], telemetry: Telemetry
    ) -> None:
        self._api = api
        self._namespaces = namespaces or ("",)
        self._reconciler = reconciler
        self._telemetry = telemetry
        self._known: dict[str, _Known] = {}
        self._refused: dict[str, str] = {}
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End after the turns that run, from any thread."""
        self._stopping.set()

    def wait(self, seconds: float) -> None:
        """Wait until no turn runs, at most so long."""
        deadline = time.monotonic() + seconds
        while any(known.running for known in [*self._known.values()]) and time.monotonic() < deadline:
            time.sleep(0.1)

    def run(self) -> None:
        """Drive until stopped. That the API server is away, ends nothing."""
        failures = 0
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="rollout") as pool:
            while not self._stopping.is_set():
                try:
                    self._start_turns(self._list(), pool)
                    failures = 0
                except KubeError as error:
                    failures += 1
                    log.warning("InferenceRollouts cannot be listed: %s", error)
                self._telemetry.looked(failures)
                self._stopping.wait(_backoff(_LIST_SECONDS, failures))

    def _list(self) -> list[Object]:
        found: list[Object] = []
        refused: dict[str, str] = {}
        for namespace in self._namespaces:
            try:
                found += self._api.list("InferenceRollout", namespace)
            except Refused as error:
                # One that is gone, and its Role with it, must not stop the others.
                refused[namespace] = str(error)
        if len(refused) == len(self._namespaces):
            raise Refused("; ".join(refused.values()))
        for namespace, message in refused.items():
            if message != self._refused.get(namespace):
                log.warning("InferenceRollouts of namespace %r cannot be listed: %s", namespace, message)
        self._refused = refused
        return found

    def _start_turns(self, rollouts: list[Object], pool: ThreadPoolExecutor) -> None:
        there = {each["metadata"]["uid"]: each for each in rollouts if "deletionTimestamp" not in each["metadata"]}
        for uid in self._known.keys() - there.keys():
            if not self._known[uid].running:
                del self._known[uid]
        self._telemetry.count(there.values())
        now = time.monotonic()
        for uid, rollout in there.items():
            known = self._known.setdefault(uid, _Known(self._reconciler()))
            wanted = rollout["metadata"].get("generation"), rollout["metadata"].get("annotations")
            if known.running or (now < known.due and (wanted == known.wanted or known.failures)):
                continue
            known.running, known.wanted = True, wanted
            pool.submit(self._turn, known, rollout)

    def _turn(self, known: _Known, rollout: Object) -> None:
        name = f"{rollout['metadata']['namespace']}/{rollout['metadata']['name']}"
        wait = BUSY_SECONDS
        begin = time.monotonic()
        try:
            # It may have been changed since it was listed: turns wait for one another, and write its status.
            now = self._api.get("InferenceRollout", rollout["metadata"]["namespace"], rollout["metadata"]["name"])
            if (
                now is None
                or "deletionTimestamp" in now["metadata"]
                or now["metadata"]["uid"] != rollout["metadata"]["uid"]
            ):
                return
            if known.reconciler.turn(now):
                wait = IDLE_SECONDS
            known.failures = 0
        except Conflict as error:
            # Somebody was faster, or an object is still on its way out: the next turn sees it as it is then.
            log.info("%s: %s; it is looked at again", name, error)
        except KubeError as error:
            known.failures += 1
            wait = _backoff(BUSY_SECONDS, known.failures)
            log.warning("%s: %s", name, error)
            self._telemetry.failed("refused" if isinstance(error, Refused) else "unavailable")
        except Exception:
            # Another rollout must not stop for a fault in this one's turn.
            known.failures += 1
            wait = _backoff(BUSY_SECONDS, known.failures)
            log.exception("%s: the turn failed", name)
            self._telemetry.failed("internal")
            self._say(rollout, "an internal error; the controller's log says which")
        finally:
            known.due = time.monotonic() + wait
            known.running = False
            self._telemetry.turned(time.monotonic() - begin)

    def _say(self, rollout: Object, message: str) -> None:
        metadata = rollout["metadata"]
        with suppress(KubeError):
            self._api.patch(
                "InferenceRollout",
                metadata["namespace"],
                metadata["name"],
                {"status": {"message": message}},
                subresource="status",
            )


def _backoff(seconds: float, failures: int) -> float:
    return min(float(seconds * 2 ** min(failures, 10)), max(seconds, _LONGEST_BACKOFF_SECONDS))
