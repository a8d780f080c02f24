"""Rollouts on a real Kubernetes, with the controller in the cluster and 100 requests a second at the gateway.

Each test runs twice: by pair, which every KServe can do, and by canary, where KServe splits the traffic; `test_knative`
is about Knative's revisions. Modules: `served` (a model with a rollout), `faults` (canaries that are bad in each way),
`figures`.
"""
