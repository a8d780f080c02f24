"""Which routing a cluster gets."""

import pytest

from predictors.rollout.kube.api import Object
from predictors.rollout.routing.choice import choose
from tests.unit.rollout.routing.fakes import Store

KNATIVE = {"serving.kserve.io/deploymentMode": "Knative"}


def kserve(image: str) -> Object:
    containers = [{"name": "proxy", "image": "proxy:v9.9.9"}, {"name": "manager", "image": image}]
    return {
        "kind": "Deployment",
        "metadata": {"name": "kserve-controller-manager", "namespace": "kserve"},
        "spec": {"template": {"spec": {"containers": containers}}},
    }


@pytest.mark.parametrize(
    ("image", "routing"),
    [
        ("kserve/kserve-controller:v0.20.0", "pair"),
        ("kserve/kserve-controller:v0.21.0", "canary"),
        ("kserve/kserve-controller:v0.21.0-rc0", "canary"),
        ("kserve/kserve-controller:0.100", "canary"),
        ("kserve/kserve-controller:v1.0.0", "canary"),
        ("registry:5000/kserve-controller:v0.21.1@sha256:0123", "canary"),
        ("registry:5000/kserve-controller", "pair"),
        ("kserve/kserve-controller:latest", "pair"),
    ],
)
def test_auto_is_by_kserves_image(image: str, routing: str) -> None:
    assert choose(Store(kserve(image)), "auto", {}) == routing


def test_a_version_that_is_known_wins() -> None:
    assert choose(Store(kserve("kserve:v0.20.0")), "auto", {}, "0.21") == "canary"
    assert choose(Store(kserve("kserve:v0.21.0")), "auto", {}, "v0.20.1") == "pair"


def test_a_kserve_that_is_not_found_gets_what_every_one_can_do() -> None:
    assert choose(Store(), "auto", {}) == "pair"


def test_knative_is_by_the_annotation() -> None:
    assert choose(Store(), "auto", KNATIVE, "0.21") == "knative"


@pytest.mark.parametrize("wanted", ["canary", "pair", "knative"])
def test_what_is_named_is_taken(wanted: str) -> None:
    assert choose(Store(kserve("kserve:v0.20.0")), wanted, KNATIVE) == wanted
