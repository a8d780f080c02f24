"""Traffic, errors, latencies and saturation of every model, and its versions side by side."""

from scripts.dashboards.panels import RATE, Dashboard, Panel, Query, Row, Variable, quantiles

_MODELS = 'namespace=~"$namespace", model_name=~"$model"'
# Answers that the server owes its callers. What clients got wrong (400, INVALID_ARGUMENT …) is no failure of a model.
FAILED = 'code=~"5..|429|INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED"'
REFUSED = 'code=~"429|RESOURCE_EXHAUSTED"'
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
    """The share of some requests among all; 0, not nothing, where there are none of them."""
    return f"({_rate(by, selector)} or 0 * {_rate(by)}) / ({_rate(by)} > 0)"


_TRAFFIC = Row(
    "Traffic and errors",
    [
        Panel("Requests", "reqps", [Query(_rate("model_name"), "{{model_name}}")], stacked=True),
        Panel(
            "Share of failures",
            "percentunit",
            [Query(_share("model_name", FAILED), "{{model_name}}")],
            "Server errors, missed deadlines and refusals, of all requests. What clients got wrong is not among them.",
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
            "429 with Retry-After.",
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
OVERVIEW = Dashboard(
    "predictors-overview",
    "Predictors",
    "Every model: traffic, errors, latencies, saturation, versions side by side.",
    [
        Variable("namespace", "model_requests_total", "namespace"),
        Variable("model", 'model_requests_total{namespace=~"$namespace"}', "model_name"),
    ],
    [_TRAFFIC, _LATENCY, _SATURATION, _VERSIONS],
)
