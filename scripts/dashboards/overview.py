"""Traffic, errors, latencies and saturation and drift of every model, and its versions side by side."""

from scripts.dashboards.panels import RATE, Dashboard, Panel, Query, Row, Variable, quantiles

_MODELS = 'namespace=~"$namespace", model_name=~"$model"'
_PODS = 'namespace=~"$namespace"'
# Requests that the server owes an answer: those that no rate limit refused.
OWED = 'limit=""'
# Answers that it owes its callers. What clients got wrong (400, INVALID_ARGUMENT …) is no failure of a model.
FAILED = f'code=~"5..|429|INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED", {OWED}'
REFUSED = f'code=~"429|RESOURCE_EXHAUSTED", {OWED}'
_VERSION = "model_name, model_version"
_VERSION_LEGEND = "{{model_name}} {{model_version}}"


def _by_pod(expr: str) -> Query:
    """A figure of processes: of those that serve the models."""
    pod = "namespace, pod, instance"
    return Query(f"sum by ({pod}) ({expr} and on ({pod}) model_state{{{_MODELS}}})", "{{pod}} {{instance}}")


def _rate(by: str, selector: str = "") -> str:
    chosen = f"{_MODELS}, {selector}" if selector else _MODELS
    return f"sum by ({by}) (rate(model_requests_total{{{chosen}}}[{RATE}]))"


def _share(by: str, selector: str) -> str:
    """The share of some requests among those that are owed an answer; 0, not nothing, where there are none of them."""
    return f"({_rate(by, selector)} or 0 * {_rate(by, OWED)}) / ({_rate(by, OWED)} > 0)"


_TRAFFIC = Row(
    "Traffic and errors",
    [
        Panel("Requests", "reqps", [Query(_rate("model_name"), "{{model_name}}")], stacked=True),
        Panel(
            "Share of failures",
            "percentunit",
            [Query(_share("model_name", FAILED), "{{model_name}}")],
            "Server errors, missed deadlines and refusals, of all requests but those that rate limits refused. "
            "What clients got wrong is not among them.",
        ),
        Panel(
            "Answers by code",
            "reqps",
            [Query(_rate("code"), "{{code}}")],
            "HTTP statuses and gRPC codes; 499 and CANCELLED are clients that left.",
            stacked=True,
        ),
    ],
)
_LATENCY = Row(
    "Latency",
    [
        Panel(
            "Latency",
            "s",
            quantiles("model_request_latency_seconds", _MODELS, "model_name"),
            "From the request's head to the end of the answer.",
            width=12,
        ),
        Panel(
            "Where the time goes",
            "s",
            [
                Query(
                    f"sum by (model_name) (rate({name}_sum{{{_MODELS}}}[{RATE}])) / "
                    f"(sum by (model_name) (rate({name}_count{{{_MODELS}}}[{RATE}])) > 0)",
                    f"{step} {{{{model_name}}}}",
                )
                for step, name in (
                    ("decode", "request_preprocess_seconds"),
                    ("predict", "request_predict_seconds"),
                    ("encode", "request_postprocess_seconds"),
                )
            ],
            "Mean of each step; predict has the cache, the queue and the model.",
            width=12,
        ),
    ],
)
_SATURATION = Row(
    "Saturation",
    [
        Panel(
            "Queue in use",
            "percentunit",
            [
                Query(
                    f"max by (model_name) (model_requests_in_flight{{{_MODELS}}} / model_queue_limit{{{_MODELS}}})",
                    "{{model_name}}",
                )
            ],
            "Running and waiting, of what may, in the fullest pod. At 100% requests are refused.",
        ),
        Panel(
            "Refused",
            "reqps",
            [Query(f"{_rate('model_name', REFUSED)} or 0 * {_rate('model_name')}", "{{model_name}}")],
            "429 for want of room. What rate limits refuse is below.",
        ),
        Panel(
            "CPU",
            "short",
            [_by_pod(f"rate(process_cpu_seconds_total[{RATE}])")],
            "Cores in use. Iris and intent can use one, which then is their limit.",
        ),
        Panel(
            "Memory",
            "bytes",
            [_by_pod("process_resident_memory_bytes")],
            "Resident, with the pages of mapped model files.",
        ),
        Panel(
            "Memory of models",
            "bytes",
            [
                Query(
                    f"max by (model_name, model_version, part) (model_memory_bytes{{{_MODELS}}})",
                    f"{_VERSION_LEGEND} {{{{part}}}}",
                )
            ],
            "About what each loaded model takes, by part, in one pod; gpu is on GPUs, the rest in main memory.",
            stacked=True,
        ),
        Panel("Connections", "short", [_by_pod("http_connections")], "HTTP, open."),
        Panel(
            "Models by state",
            "short",
            [Query(f"sum by (model_name, state) (model_state{{{_MODELS}}}) > 0", "{{model_name}} {{state}}")],
            "Pods in which each model is ready, loading, failed, or waits for its artifact.",
        ),
        Panel(
            "Versions in the store by state",
            "short",
            [Query(f"sum by (model_name, state) (model_versions{{{_MODELS}}}) > 0", "{{model_name}} {{state}}")],
            "Of servers with --model_store, all pods together. Failed ones are tried again.",
        ),
        Panel(
            "Versions unloaded for want of room",
            "short",
            [Query(f"sum by (model_name) (rate(model_evictions_total{{{_MODELS}}}[{RATE}]))", "{{model_name}}")],
            "Per second. If it goes on, what is asked for does not fit into --max_loaded_bytes.",
        ),
    ],
)
_DOOR = Row(
    "Callers and what the server leans on",
    [
        Panel(
            "Refused by rate limits",
            "reqps",
            [Query(_rate("model_name, limit", 'limit!=""'), "{{model_name}} {{limit}}")],
            "A client's requests or tokens, or all requests to a model (model), beyond what is allowed. No failures.",
            stacked=True,
        ),
        Panel(
            "Keys and counts that are away",
            "short",
            [Query(f"sum by (source) (rate(access_errors_total{{{_PODS}}}[{RATE}]))", "{{source}}")],
            "Failures per second: the address of the keys of JWTs (keys), the Redis that counts requests (limits).",
        ),
        Panel(
            "Events of the request log",
            "short",
            [
                Query(
                    f"sum by (sink, outcome) (rate(request_log_events_total{{{_PODS}}}[{RATE}]))",
                    "{{sink}} {{outcome}}",
                )
            ],
            "Per second. Dropped and failed ones are in no log.",
            stacked=True,
        ),
    ],
)
_VERSIONS = Row(
    "Versions side by side",
    [
        Panel("Requests by version", "reqps", [Query(_rate(_VERSION), _VERSION_LEGEND)], stacked=True),
        Panel("Failures by version", "percentunit", [Query(_share(_VERSION, FAILED), _VERSION_LEGEND)]),
        Panel("p95 by version", "s", quantiles("model_request_latency_seconds", _MODELS, _VERSION)[1:2]),
        Panel(
            "Labels by version",
            "percentunit",
            [
                Query(
                    f"sum by ({_VERSION}, label) (rate(predictions_total{{{_MODELS}}}[{RATE}])) / ignoring (label) "
                    f"group_left () (sum by ({_VERSION}) (rate(predictions_total{{{_MODELS}}}[{RATE}])) > 0)",
                    f"{_VERSION_LEGEND} {{{{label}}}}",
                )
            ],
            "Shares of what is predicted. A version that differs is another model, or gets other requests.",
            width=12,
        ),
        Panel(
            "Confidence by version",
            "percentunit",
            quantiles("prediction_confidence", _MODELS, _VERSION)[:1],
            "Median probability of the predicted class.",
            width=12,
        ),
    ],
)
_DRIFT = Row(
    "Drift",
    [
        Panel(
            "Drift",
            "short",
            [
                Query(
                    f'max by ({_VERSION}, side, feature) (model_drift{{{_MODELS}, statistic="psi"}})',
                    f"{_VERSION_LEGEND} {{{{side}}}} {{{{feature}}}}",
                )
            ],
            "Population stability index of the last hour beside the artifact's reference, in the pod where it is the "
            "greatest: from 0.1 worth a look, from 0.25 a major shift. It is no error.",
            width=16,
        ),
        Panel(
            "Rows compared",
            "short",
            [Query(f"min by ({_VERSION}) (model_drift_rows{{{_MODELS}}})", _VERSION_LEGEND)],
            "In the window of the pod with the fewest. With too few, there is no drift to tell.",
        ),
    ],
)
OVERVIEW = Dashboard(
    "predictors-overview",
    "Predictors",
    "Every model: traffic, errors, latencies, saturation, versions side by side.",
    [
        Variable("namespace", "model_requests_total", "namespace"),
        Variable("model", 'model_requests_total{namespace=~"$namespace"}', "model_name"),
    ],
    [_TRAFFIC, _LATENCY, _SATURATION, _DOOR, _VERSIONS, _DRIFT],
)
