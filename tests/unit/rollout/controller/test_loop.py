"""Turns for every InferenceRollout."""

import threading
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from predictors.rollout.controller.loop import Loop
from predictors.rollout.controller.telemetry import Telemetry
from predictors.rollout.kube.api import Object, Refused


def thing(namespace: str, name: str, uid: str = "1", **spec: Any) -> Object:
    return {"kind": "InferenceRollout", "metadata": {"namespace": namespace, "name": name, "uid": uid}, "spec": spec}


class Api:
    """Lists what was there, and gets what is there now."""

    def __init__(self, listed: dict[str, list[Object]], now: list[Object]) -> None:
        self._listed = listed
        self._now = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in now}

    def list(self, kind: str, namespace: str, labels: str = "") -> list[Object]:
        if namespace not in self._listed:
            raise Refused(f"{kind} cannot be listed in {namespace}")
        return self._listed[namespace]

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self._now.get((namespace, name))


class Turns:
    """Notes the turns of all rollouts, and ends the loop at one."""

    def __init__(self) -> None:
        self.taken: list[Object] = []
        self.until = threading.Event()

    def turn(self, rollout: Object) -> bool:
        self.taken.append(rollout)
        self.until.set()
        return True


def taken(api: Api, *namespaces: str) -> list[Object]:
    turns = Turns()
    loop = Loop(api, namespaces, lambda: turns, Telemetry(CollectorRegistry()))  # type: ignore[arg-type, return-value]
    running = threading.Thread(target=loop.run)
    running.start()
    turns.until.wait(20)
    loop.stop()
    running.join()
    return turns.taken


def test_a_namespace_that_may_not_be_listed_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    there = thing("a", "iris")
    assert taken(Api({"a": [there]}, [there]), "gone", "a")[0] == there
    assert "InferenceRollouts of namespace 'gone' cannot be listed" in caplog.text


def test_a_turn_is_about_the_rollout_as_it_is_and_not_as_it_was_listed() -> None:
    now = thing("a", "iris", paused=True)
    assert taken(Api({"a": [thing("a", "iris")]}, [now]), "a")[0] == now


def test_one_that_was_deleted_or_made_anew_has_no_turn() -> None:
    listed = [thing("a", "gone"), thing("a", "new", "1"), thing("a", "there", "3")]
    found = taken(Api({"a": listed}, [thing("a", "new", "2"), thing("a", "there", "3")]), "a")
    assert {each["metadata"]["name"] for each in found} == {"there"}
