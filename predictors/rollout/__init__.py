"""Rollouts of InferenceServices: a new version gets all of the traffic, or none, on evidence, and no request is lost.

| module | what it holds |
|---|---|
| `spec` | what a user writes: steps, checks, autoscaling |
| `signals` | what is measured of a variant |
| `judge` | how sure we are that the canary is no worse than stable: pure |
| `engine` | (what is wanted, what is observed) → the next layout of the cluster: pure |
| `kube` | the API server, as plain dictionaries |
| `routing` | layouts as KServe's objects and routes: canary, pair, knative |
| `metrics` | signals from the pods' own metrics, or from Prometheus |
| `driver` | one turn of a rollout: look, measure, judge, decide, write |
| `controller` | turns for every InferenceRollout of a cluster |

Nothing here imports serving code.
"""
