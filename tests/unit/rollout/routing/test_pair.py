"""What a pair of InferenceServices writes."""

from predictors.rollout.engine.state import SetWeight
from predictors.rollout.routing.pair import PairRouter
from tests.unit.rollout.routing.fakes import NAME, NAMESPACE, PREDICTOR, Store, target
from tests.unit.rollout.routing.test_public_route import HTTP, config, service, written


def test_no_weight_goes_to_a_canary_that_is_gone_and_none_is_lost() -> None:
    there = {"kind": "InferenceService", "metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": {}}
    store = Store(there | {"spec": {"predictor": PREDICTOR}}, config(), service(HTTP))
    PairRouter(store, target()).act(SetWeight(100))
    [rule] = written(store)["spec"]["rules"]
    assert [(ref["name"], ref["weight"]) for ref in rule["backendRefs"]] == [(f"{NAME}-predictor", 100)]
