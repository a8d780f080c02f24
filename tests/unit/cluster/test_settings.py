"""When the cluster's tests run, and on what."""

import pytest

from tests.cluster.release import merge
from tests.cluster.settings import SWITCH, Address, missing


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"KUBECONFIG": "here"}, f"with {SWITCH}=1 only"),
        ({SWITCH: "0", "KUBECONFIG": "here"}, f"with {SWITCH}=1 only"),
        ({SWITCH: "1"}, "KUBECONFIG names no cluster"),
    ],
)
def test_nothing_runs_on_a_cluster_that_was_not_meant(environment: dict[str, str], why: str) -> None:
    assert why in missing(environment)


def test_both_programs_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda program: None if program == "helm" else f"/bin/{program}")
    assert missing({SWITCH: "1", "KUBECONFIG": "here"}) == "not installed: helm"
    monkeypatch.setattr("shutil.which", lambda program: f"/bin/{program}")
    assert not missing({SWITCH: "1", "KUBECONFIG": "here"})


def test_an_address_is_read_as_it_is_written() -> None:
    assert str(Address.parse("gateway.example.com:443")) == "gateway.example.com:443"


def test_values_are_merged_and_taken_away() -> None:
    base = {"models": {"iris": {"replicas": 1, "digest": "a"}, "intent": {}}, "kserve": {"version": "0.20"}}
    merged = merge(base, {"models": {"iris": {"digest": "b"}, "intent": None}})
    assert merged == {"models": {"iris": {"replicas": 1, "digest": "b"}}, "kserve": {"version": "0.20"}}
    assert base["models"] == {"iris": {"replicas": 1, "digest": "a"}, "intent": {}}
