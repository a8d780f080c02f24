"""A good version gets all of the traffic, step by step, and no request is lost on the way, nor on the way back."""

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Note
from tests.cluster.programs import kubectl
from tests.cluster.release import Values
from tests.cluster.rollouts.served import MODEL, Served
from tests.cluster.traffic import Tally
from tests.waiting import until

pytestmark = pytest.mark.cluster


def second(archives: Archives) -> Values:
    return {"storageUri": archives.second, "digest": archives.second_digest}


def flowing(tally: Tally) -> float:
    """The time, in the stream's own seconds; returns once there are answers after it."""
    begin = tally.answered[-1][0]
    until(lambda: tally.answered[-1][0] > begin + 1, "more answers")
    return begin


def test_promotion_and_undo(served: Served, archives: Archives, note: Note) -> None:
    with served.traffic() as tally:
        endings = served.endings
        served.apply(second(archives), {"pauseBefore": [100]})
        served.wait_phase("Paused")
        canary = served.pods().keys()
        assert served.status["weight"] == {"asked": 50, "seen": 50}
        served.ask("promote")
        ending = served.wait_end(endings)
        promoted = served.pods().keys()
        begin = flowing(tally)
    note(f"{served.routing}: promotion in steps: {tally}")
    tally.check()
    assert ending.result == "Promoted", ending.reason
    assert {version for moment, version in tally.answered if moment > begin} == {"2"}
    assert served.status["stable"]["storageUri"] == archives.second
    if served.routing == "canary":
        assert promoted <= canary, "a pod was restarted by the promotion"
    served.check_tidy()

    with served.traffic() as tally:
        endings = served.endings
        served.ask("undo")
        served.wait_phase("Paused")
        served.ask("promote")
        ending = served.wait_end(endings)
    note(f"{served.routing}: undo: {tally}")
    tally.check()
    assert ending.result == "Promoted", ending.reason
    assert served.status["stable"]["storageUri"] == archives.first
    served.settle()
    served.check_tidy()


def test_abort_at_each_step(served: Served, archives: Archives, note: Note) -> None:
    for weight in (0, 25, 50, 100):
        # The last one is aborted while the stable version still finishes its requests.
        gates = {"pauseBefore": [25, 50, 100]} if weight < 100 else {"steps": [{"weight": 100, "hold": "10m"}]}
        with served.traffic() as tally:
            endings = served.endings
            served.apply(second(archives), gates)
            served.wait_phase("Paused" if weight < 100 else "Promoting")
            for step in (25, 50):
                if step <= weight < 100:
                    served.ask("promote")
                    served.wait_weight(step)
                    served.wait_phase("Paused")
            assert served.status["weight"]["seen"] == weight
            served.ask("abort")
            ending = served.wait_end(endings)
            begin = flowing(tally)
        note(f"{served.routing}: abort at {weight}%: {tally}")
        tally.check()
        assert ending.result == "Aborted", ending.reason
        assert {version for moment, version in tally.answered if moment > begin} == {"1"}
        served.settle()
        served.check_tidy()


def test_the_controller_goes_in_the_middle(
    served: Served, cluster: Cluster, controller: str, archives: Archives, note: Note
) -> None:
    with served.traffic() as tally:
        endings = served.endings
        served.apply(second(archives))
        for weight in (25, 50):
            served.wait_weight(weight)
            kubectl(
                "delete", "pod", "-n", controller, "-l", "app.kubernetes.io/name=rollout-controller", "--wait=false"
            )
        ending = served.wait_end(endings)
    note(f"{served.routing}: promotion, the controller's pod deleted twice: {tally}")
    tally.check()
    assert ending.result == "Promoted", ending.reason
    served.settle()
    served.check_tidy()


def test_the_inference_service_is_edited_by_hand(
    served: Served, cluster: Cluster, archives: Archives, note: Note
) -> None:
    """The stable version is changed by another hand, and changed back."""
    with served.traffic() as tally:
        endings = served.endings
        served.apply(second(archives))
        served.wait_weight(25)
        cluster.patch("InferenceService", MODEL, {"spec": {"predictor": {"timeout": 77}}}, served.namespace)
        ending = served.wait_end(endings)
    note(f"{served.routing}: promotion, the InferenceService edited by hand: {tally}")
    tally.check()
    assert ending.result == "Promoted", ending.reason
    assert tally.versions().keys() == {"1", "2"}
    assert "somebody else changed" in kubectl("get", "events", "-n", served.namespace, "-o", "jsonpath={..message}")
    served.settle()
    served.check_tidy()
