"""The controller's Lease."""

from predictors.rollout.controller import main


def test_no_call_for_the_lease_waits_for_ever() -> None:
    lock = main._Lock("lease", "namespace", "me")
    calls = (lock.api_instance.read_namespaced_lease, lock.api_instance.create_namespaced_lease)
    for call in (*calls, lock.api_instance.replace_namespaced_lease):
        assert sum(call.keywords["_request_timeout"]) < main._RENEW_SECONDS
