"""The HTTPRoute of a rollout."""

import json
from typing import Any

import pytest

from predictors.rollout.kube.api import Object
from predictors.rollout.routing.public_route import PublicRoute
from tests.unit.rollout.routing.fakes import NAME, NAMESPACE, PREDICTOR, Store, target

INGRESS = {"enableGatewayApi": True, "kserveIngressGateway": "kserve/ingress", "ingressDomain": "example.com"}
HTTP, GRPC = {"name": "http1", "port": 80}, {"name": "grpc-port", "port": 81}


def config(**changes: Any) -> Object:
    metadata = {"name": "inferenceservice-config", "namespace": "kserve"}
    return {"kind": "ConfigMap", "metadata": metadata, "data": {"ingress": json.dumps(INGRESS | changes)}}


def service(*ports: dict[str, Any]) -> Object:
    return {
        "kind": "Service",
        "metadata": {"name": f"{NAME}-predictor", "namespace": NAMESPACE},
        "spec": {"ports": [*ports]},
    }


def kserves(name: str = NAME, **metadata: str) -> Object:
    spec = {"parentRefs": [{"name": "other"}], "hostnames": ["a.example.org", "b.example.org"], "rules": [{"old": 1}]}
    return {"kind": "HTTPRoute", "metadata": {"name": name, "namespace": NAMESPACE, **metadata}, "spec": spec}


def written(store: Store) -> Object:
    found = store.get("HTTPRoute", NAMESPACE, f"{NAME}-rollout")
    assert found is not None
    return found


def test_the_host_and_the_gateway_are_those_of_kserves_configuration() -> None:
    store = Store(config(), service(HTTP))
    PublicRoute(store, target()).write({"iris-predictor": 100})
    route = written(store)
    assert route["spec"]["hostnames"] == ["iris-models.example.com"]
    [parent] = route["spec"]["parentRefs"]
    assert (parent["namespace"], parent["name"]) == ("kserve", "ingress")
    assert route["metadata"]["ownerReferences"] == [{"uid": "1"}]


def test_the_template_of_hosts_is_kept_to() -> None:
    store = Store(config(domainTemplate="{{.Name}}.{{- .Namespace -}}.{{ .IngressDomain }}"), service(HTTP))
    PublicRoute(store, target()).write({"iris-predictor": 100})
    assert written(store)["spec"]["hostnames"] == ["iris.models.example.com"]


def test_an_existing_route_of_kserves_is_copied_and_stays() -> None:
    store = Store(kserves(), service(HTTP))
    PublicRoute(store, target()).write({"iris-predictor": 100})
    spec = written(store)["spec"]
    assert spec["hostnames"] == ["a.example.org", "b.example.org"]
    assert spec["parentRefs"] == [{"name": "other"}]
    assert "old" not in spec["rules"][0]
    assert store.get("HTTPRoute", NAMESPACE, NAME) == kserves()


def test_the_weights_are_in_every_rule_with_the_predictors_timeout_and_kserves_headers() -> None:
    store = Store(config(), service(HTTP, GRPC))
    PublicRoute(store, target()).write({"iris-predictor": 75, "iris-canary-predictor": 25})
    grpc, http = written(store)["spec"]["rules"]
    for rule, port in ((grpc, 81), (http, 80)):
        shares = {ref["name"]: (ref["weight"], ref["port"]) for ref in rule["backendRefs"]}
        assert shares == {"iris-predictor": (75, port), "iris-canary-predictor": (25, port)}
        assert rule["timeouts"] == {"request": "15s"}
        [headers] = (each["requestHeaderModifier"]["set"] for each in rule["filters"])
        assert {"name": "KServe-Isvc-Name", "value": "iris"} in headers
    assert grpc["matches"][0]["headers"][0]["value"] == "^application/grpc.*"
    assert "headers" not in http["matches"][0]


@pytest.mark.parametrize("ports", [(HTTP,), (GRPC,), ()])
def test_there_is_no_rule_for_grpc_unless_both_have_ports(ports: tuple[dict[str, Any], ...]) -> None:
    store = Store(config(), service(*ports))
    PublicRoute(store, target()).write({"iris-predictor": 100})
    assert [rule["backendRefs"][0]["port"] for rule in written(store)["spec"]["rules"]] == [80]


def test_without_a_timeout_it_is_kserves() -> None:
    store = Store(config(), service(HTTP))
    PublicRoute(store, target({"model": PREDICTOR["model"]})).write({"iris-predictor": 100})
    assert written(store)["spec"]["rules"][0]["timeouts"] == {"request": "60s"}


def test_it_is_written_only_if_something_changes() -> None:
    store = Store(config(), service(HTTP))
    for weights in ({"a": 100, "b": 0}, {"a": 100, "b": 0}, {"a": 50, "b": 50}):
        PublicRoute(store, target()).write(weights)
    assert [verb for verb, *_ in store.writes] == ["create", "replace"]


@pytest.mark.parametrize(
    ("things", "sentence"),
    [
        ([], "KServe's ConfigMap kserve/inferenceservice-config is not there, so the public host is not known"),
        (
            [config(enableGatewayApi=False)],
            "KServe does not use the Gateway API here (enableGatewayApi); pair routing needs it",
        ),
        (
            [config(domainTemplate="{{ .Name }}-{{ .Team }}.org")],
            "KServe's domainTemplate '{{ .Name }}-{{ .Team }}.org' has fields that are not understood",
        ),
        ([config()], ""),
        ([kserves()], ""),
        ([kserves(f"{NAME}-rollout")], ""),
        (
            [kserves(deletionTimestamp="2026-01-01T00:00:00Z")],
            "KServe's ConfigMap kserve/inferenceservice-config is not there, so the public host is not known",
        ),
    ],
)
def test_what_is_refused(things: list[Object], sentence: str) -> None:
    assert PublicRoute(Store(*things), target()).refusal() == sentence


def test_kserves_routes_lose_their_hosts_then_go_and_no_others() -> None:
    store = Store(kserves(), kserves(f"{NAME}-predictor"), kserves(f"{NAME}-rollout"), kserves("other"))
    route = PublicRoute(store, target())
    assert route.is_shared()
    route.remove_parked()
    assert not store.writes, "a route that has a public host was deleted"
    route.unshare()
    assert not route.is_shared()
    parked = [NAME, f"{NAME}-predictor"]
    assert store.writes == [("replace", "HTTPRoute", name) for name in parked]
    hosts = [found["spec"]["hostnames"] for name in parked if (found := store.get("HTTPRoute", NAMESPACE, name))]
    assert hosts == [["parked.invalid"]] * 2
    route.remove_parked()
    assert store.writes[2:] == [("delete", "HTTPRoute", name) for name in parked]


def test_hosts_of_both_of_kserves_routes_are_kept_once() -> None:
    component = kserves(f"{NAME}-predictor")
    component["spec"]["hostnames"] = ["a.example.org", "c.example.org"]
    store = Store(kserves(), component, service(HTTP))
    PublicRoute(store, target()).write({"iris-predictor": 100})
    assert written(store)["spec"]["hostnames"] == ["a.example.org", "b.example.org", "c.example.org"]


def test_a_route_of_somebody_elses_is_not_taken() -> None:
    store = Store(kserves("iris-rollout", ownerReferences=[{"kind": "InferenceService", "name": "iris-rollout"}]))  # type: ignore[arg-type]
    assert PublicRoute(store, target()).refusal() == (
        "there is an HTTPRoute iris-rollout that is not the rollout's; it needs another name"
    )
