"""What is read, what may not be, and what odd answers become."""

import json
from collections.abc import Mapping

import pytest

from predictors.doctor.examine import examine
from predictors.doctor.look import look
from predictors.doctor.sources import METRICS_API, PODS, SOURCES
from predictors.rollout.kube.api import Object, Refused, Unavailable
from tests.unit.doctor.clusters import NAMESPACE, production

FORBIDDEN = (403, json.dumps({"kind": "Status", "message": "no"}))


class Server:
    """An API server that has what a cluster has, and answers some paths otherwise."""

    def __init__(self, answers: Mapping[str, tuple[int, str]] = {}) -> None:  # only read
        self.asked: list[str] = []
        world = production()
        world.add_pod()
        self._answers = {
            source.path(NAMESPACE): (200, json.dumps({"items": world.objects[kind]}))
            for kind, source in SOURCES.items()
            if kind in world.objects
        }
        self._answers |= {path: (200, json.dumps(found)) for path, found in world.apis.items()}
        self._answers |= {SOURCES[kind].path(NAMESPACE) if kind in SOURCES else kind: a for kind, a in answers.items()}

    def text(self, path: str) -> tuple[int, str]:
        self.asked.append(path)
        return self._answers.get(path, (404, "404 page not found"))


class Pods:
    """Pods that all give one answer."""

    def __init__(self, status: int = 200, body: str = "up 1\n") -> None:
        self._answer = status, body

    def get(self, pod: Object, path: str) -> tuple[int, str]:
        if self._answer[0] == 0:
            raise Unavailable("there is no answer")
        return self._answer


def test_everything_is_read_once_and_only_what_the_role_allows() -> None:
    server = Server()
    seen = look(server, Pods(), NAMESPACE)
    assert seen.unread == {}
    assert seen.metrics == {"iris": "up 1\n"}
    assert len(seen.of("InferenceService")) == 3
    assert not seen.has("InferenceRollout")
    assert len(server.asked) == len(set(server.asked)) == len(SOURCES) + 2


@pytest.mark.parametrize("kind", [*SOURCES])
def test_what_may_not_be_read_is_said_with_the_right_that_it_takes(kind: str) -> None:
    report = examine(look(Server({kind: FORBIDDEN}), Pods(), NAMESPACE))
    [reason] = {each.reason for each in report.unseen}
    assert reason.startswith(f"it takes the right to list {SOURCES[kind].plural}")
    assert reason.endswith((f" in namespace {NAMESPACE}", " in all namespaces"))
    assert {each.check for each in report.unseen} & {*report.fine} == set()


@pytest.mark.parametrize("answer", [(200, ""), (200, "[]"), (200, "{"), (500, "oops"), (200, "null"), (429, "{}")])
def test_an_odd_answer_is_no_list(answer: tuple[int, str]) -> None:
    seen = look(Server({"Pod": answer, METRICS_API: answer}), Pods(), NAMESPACE)
    assert seen.unread.keys() == {"Pod", METRICS_API}
    assert f"the API server answered {answer[0]}" in seen.unread["Pod"]


@pytest.mark.parametrize("items", [None, {}, [None, 1, "x", []], "x"])
def test_an_odd_list_is_empty(items: object) -> None:
    assert look(Server({"Pod": (200, json.dumps({"items": items}))}), Pods(), NAMESPACE).of("Pod") == []


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, '{"kind": "Status"}', f"it takes the right to get {PODS} in namespace {NAMESPACE}"),
        (403, "no", "the metrics of iris need a token"),
        (401, '{"error": "no token"}', "the metrics of iris need a token"),
        (502, "", "a pod of iris answered 502"),
        (0, "", "cannot be asked: there is no answer"),
    ],
)
def test_a_pod_that_says_nothing(status: int, body: str, said: str) -> None:
    report = examine(look(Server(), Pods(status, body), NAMESPACE))
    assert {each.check for each in report.unseen} == {"evaluation", "drift"}
    assert all(said in each.reason for each in report.unseen)


def test_a_pod_that_is_not_ready_is_asked_why() -> None:
    world = production()
    world.add_pod(conditions=[{"type": "Ready", "status": "False"}])
    pods = (200, json.dumps({"items": world.objects["Pod"]}))
    answer = json.dumps({"ready": False, "error": "its digest\x1b[31m\nis another"})
    [found] = [
        each
        for each in examine(look(Server({"Pod": pods}), Pods(503, answer), NAMESPACE)).findings
        if each.check == "not-ready"
    ]
    assert found.issue.message.endswith("is not ready: its digest [31m is another")


def test_the_api_servers_own_answer_is_no_pods() -> None:
    world = production()
    world.add_pod(
        conditions=[{"type": "Ready", "status": "False"}],
        initContainerStatuses=[{"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "no artifact"}}}],
    )
    server = Server({"Pod": (200, json.dumps({"items": world.objects["Pod"]}))})
    seen = look(server, Pods(503, '{"kind": "Status", "message": "error trying to reach service"}'), NAMESPACE)
    [found] = [each for each in examine(seen).findings if each.check == "not-ready"]
    assert found.issue.message.endswith("CrashLoopBackOff: no artifact")
    assert "did not reach a pod of iris (503)" in seen.unread["pods/proxy iris"]


def test_who_is_not_known_is_told_so() -> None:
    with pytest.raises(Refused, match="log in again"):
        look(Server({"InferenceService": (401, "{}")}), Pods(), NAMESPACE)


def test_a_server_that_is_away_ends_it() -> None:
    class Away(Server):
        def text(self, path: str) -> tuple[int, str]:
            raise Unavailable("the API server does not answer")

    with pytest.raises(Unavailable):
        look(Away(), Pods(), NAMESPACE)
