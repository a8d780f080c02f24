"""Signals of the two variants, measured from the counters that their pods export.

| module | what it holds |
|---|---|
| `exposition` | Prometheus' text format → points |
| `counters` | points → the counters of one model; what was added between two readings of one pod |
| `codes` | which answers are failures |
| `samples` | what was added → signals, of one pod and of several |
| `source` | where readings come from |
| `pods` | the pods' own `/metrics` |
| `prometheus`, `queries` | a Prometheus server, for large fleets and for queries of one's own |
| `meter` | readings of all pods → intervals |
| `identity` | which version a pod serves |
"""
