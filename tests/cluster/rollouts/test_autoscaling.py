"""HPAs of the rollout's own: they follow the Deployment, whatever it is called after a promotion."""

import pytest

from tests.cluster.archives import Archives
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Note
from tests.cluster.rollouts.served import MODEL, Served
from tests.waiting import until

pytestmark = pytest.mark.cluster
HPA = f"{MODEL}-rollout"


def test_the_hpa_follows_a_promotion(served: Served, cluster: Cluster, archives: Archives, note: Note) -> None:
    scaled = {"autoscaling": {"minReplicas": 2, "maxReplicas": 3, "cpu": 90, "requestsPerSecond": 1000}}
    second = {"storageUri": archives.second, "digest": archives.second_digest}
    with served.traffic() as tally:
        endings = served.endings
        served.apply(scaled)
        served.wait_phase("Healthy")
        until(lambda: len(served.pods()) == 2, "two pods")
        served.apply(scaled | second)
        served.wait_weight(50)
        canary = cluster.get("HorizontalPodAutoscaler", f"{MODEL}-canary-rollout", served.namespace)
        ending = served.wait_end(endings)
    note(f"{served.routing}: promotion with HPAs of the rollout's own: {tally}")
    tally.check()
    assert ending.result == "Promoted", ending.reason
    assert canary["spec"]["maxReplicas"] == 3
    [deployment] = cluster.find("Deployment", served.namespace)
    [hpa] = cluster.find("HorizontalPodAutoscaler", served.namespace)
    assert hpa["metadata"]["name"] == HPA
    assert hpa["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert (hpa["spec"]["minReplicas"], hpa["spec"]["maxReplicas"]) == (2, 3)
    assert {metric["type"] for metric in hpa["spec"]["metrics"]} == {"Resource", "Pods"}

    served.settle()
    served.check_tidy()
