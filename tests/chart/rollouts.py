"""InferenceRollouts, good and bad: what the API server must say of them, and the controller's own types too."""

from typing import Any, NamedTuple

from predictors.rollout.spec import API_VERSION, KIND

Object = dict[str, Any]
PREDICTOR: Object = {"model": {"modelFormat": {"name": "iris"}, "storageUri": "s3://bucket/iris/1", "args": ["--a=b"]}}
STEPS = [{"weight": 10, "hold": "1m"}, {"weight": 100}]
CUSTOM: Object = {"type": "custom", "query": "up{{{canary}}}", "max": 1}
PROMETHEUS: Object = {"prometheusUrl": "http://prometheus:9090"}


class Bad(NamedTuple):
    """A spec that is refused.

    Args:
        spec: what is given.
        reason: a part of the refusal: its sentence, or the field that a bound is for.
    """

    spec: Object
    reason: str


def rollout(spec: Object, name: str = "iris") -> Object:
    """An InferenceRollout."""
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec}


def spec_of(**fields: Any) -> Object:
    """A spec with a template that is good, unless another is given."""
    return {"template": {"spec": {"predictor": PREDICTOR}}, **fields}


def strategy_of(**fields: Any) -> Object:
    """The same with a strategy."""
    return spec_of(strategy=fields)


def predictor_of(**fields: Any) -> Object:
    """The same with a predictor that has more fields."""
    return spec_of(template={"spec": {"predictor": {**PREDICTOR, **fields}}})


GOOD: dict[str, Object] = {
    "least": spec_of(),
    "empty strategy": strategy_of(),
    "all": spec_of(
        template={
            "metadata": {"labels": {"team": "botany"}, "annotations": {"example.com/owner": "botany"}},
            "spec": {"predictor": {**PREDICTOR, "timeout": 65, "tolerations": [{"key": "a"}]}},
        },
        version="2",
        strategy={
            "routing": "pair",
            "steps": [{"weight": 1, "hold": "90s"}, {"weight": 2, "hold": "1h30m"}, {"weight": 100, "hold": "0s"}],
            "pauseBefore": [2, 100],
            "checks": [
                {"type": "errors", "bound": 0.5},
                {"type": "latency", "quantile": 0.5, "name": "p50"},
                {"type": "latency", "quantile": 0.99, "bound": 1.5},
                CUSTOM,
                {**CUSTOM, "name": "other", "min": -1.5},
            ],
            "confidence": 0.99,
            "onFailure": "pause",
            "evidenceLimit": "10m",
            "progressDeadline": "1s",
            "drain": "0s",
            "shadow": {"percent": 100, "hold": "5m"},
            "metrics": {**PROMETHEUS, "interval": "15s"},
        },
        autoscaling={
            "minReplicas": 2,
            "maxReplicas": 2,
            "cpu": 70,
            "requestsPerSecond": 0.5,
            "queueDepth": 4,
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
        },
        paused=True,
        historyLimit=3,
    ),
    "one step": strategy_of(steps=[{"weight": 100}]),
    "a pause at a step of the default": strategy_of(pauseBefore=[25]),
    "no checks": strategy_of(checks=[]),
    "replicas of the template": predictor_of(minReplicas=2, maxReplicas=4, scaleTarget=80, scaleMetric="cpu"),
    "autoscaling with its defaults": spec_of(autoscaling={}),
}

BAD: dict[str, Bad] = {
    "no template": Bad({}, "template"),
    "no predictor": Bad({"template": {"spec": {}}}, "predictor"),
    "a label that is a number": Bad(
        spec_of(template={"metadata": {"labels": {"a": 1}}, "spec": {"predictor": PREDICTOR}}), "labels"
    ),
    "falling weights": Bad(
        strategy_of(steps=[{"weight": 50}, {"weight": 10}, {"weight": 100}]),
        "steps: the weights must rise, and the last must be 100",
    ),
    "a weight twice": Bad(
        strategy_of(steps=[{"weight": 10}, {"weight": 10}, {"weight": 100}]),
        "steps: the weights must rise, and the last must be 100",
    ),
    "no end": Bad(strategy_of(steps=[{"weight": 50}]), "steps: the weights must rise, and the last must be 100"),
    "no steps": Bad(strategy_of(steps=[]), "steps"),
    "too many steps": Bad(strategy_of(steps=[{"weight": each} for each in range(80, 101)]), "steps"),
    "a weight of 0": Bad(strategy_of(steps=[{"weight": 0}, {"weight": 100}]), "weight"),
    "a weight of 101": Bad(strategy_of(steps=[{"weight": 101}]), "weight"),
    "a hold without a unit": Bad(strategy_of(steps=[{"weight": 100, "hold": "5"}]), "hold"),
    "an empty hold": Bad(strategy_of(steps=[{"weight": 100, "hold": ""}]), "hold"),
    "units in the wrong order": Bad(strategy_of(drain="1s2m"), "drain"),
    "a pause at no step": Bad(strategy_of(steps=STEPS, pauseBefore=[50]), "pauseBefore: no step has"),
    "a pause at no step of the default": Bad(strategy_of(pauseBefore=[10]), "pauseBefore: no step has"),
    "an unknown check": Bad(strategy_of(checks=[{"type": "speed"}]), "type"),
    "a check of no type": Bad(strategy_of(checks=[{"bound": 1}]), "type"),
    "two checks of a name": Bad(
        strategy_of(checks=[{"type": "latency"}, {"type": "latency", "quantile": 0.5}]),
        "checks: two have the same name; give each a name of its own",
    ),
    "a name that is a type": Bad(
        strategy_of(checks=[{"type": "errors", "name": "latency"}, {"type": "latency"}]),
        "checks: two have the same name",
    ),
    "a name with capitals": Bad(strategy_of(checks=[{"type": "errors", "name": "Errors"}]), "name"),
    "a negative bound": Bad(strategy_of(checks=[{"type": "errors", "bound": -1}]), "bound"),
    "the quantile 1": Bad(strategy_of(checks=[{"type": "latency", "quantile": 1}]), "quantile"),
    "the quantile 0": Bad(strategy_of(checks=[{"type": "latency", "quantile": 0}]), "quantile"),
    "a custom check without a query": Bad(
        strategy_of(checks=[{"type": "custom", "max": 1}], metrics=PROMETHEUS),
        "query: a check of type custom needs one, and no other type takes one",
    ),
    "a query of another type": Bad(
        strategy_of(checks=[{"type": "errors", "query": "up"}]),
        "query: a check of type custom needs one, and no other type takes one",
    ),
    "a custom check without a bound": Bad(
        strategy_of(checks=[{"type": "custom", "query": "up"}], metrics=PROMETHEUS),
        "min, max: a check of type custom needs one of them, or both",
    ),
    "a custom check without Prometheus": Bad(
        strategy_of(checks=[CUSTOM]), "checks: a check of type custom needs metrics.prometheusUrl"
    ),
    "a confidence of 1": Bad(strategy_of(confidence=1), "confidence"),
    "a confidence of a coin": Bad(strategy_of(confidence=0.4), "confidence"),
    "an unknown routing": Bad(strategy_of(routing="istio"), "routing"),
    "an unknown outcome of a failure": Bad(strategy_of(onFailure="ignore"), "onFailure"),
    "no time for progress": Bad(strategy_of(progressDeadline="0s"), "progressDeadline"),
    "no time between looks": Bad(strategy_of(metrics={"interval": "0m"}), "interval"),
    "a shadow of nothing": Bad(strategy_of(shadow={"percent": 0}), "percent"),
    "a shadow of no share": Bad(strategy_of(shadow={"hold": "1m"}), "percent"),
    "a maximum below the minimum": Bad(
        spec_of(autoscaling={"minReplicas": 3, "maxReplicas": 2}), "maxReplicas is less than minReplicas"
    ),
    "no pods": Bad(spec_of(autoscaling={"minReplicas": 0}), "minReplicas"),
    "a share of the CPU above all": Bad(spec_of(autoscaling={"cpu": 101}), "cpu"),
    "a target of 0": Bad(spec_of(autoscaling={"requestsPerSecond": 0}), "requestsPerSecond"),
    "no history": Bad(spec_of(historyLimit=0), "historyLimit"),
    "an unknown field": Bad(strategy_of(stepz=STEPS), "stepz"),
    "an unknown field of a step": Bad(strategy_of(steps=[{"weight": 100, "wait": "1m"}]), "wait"),
}

_FIXED = {"minReplicas": 2, "maxReplicas": 3, "scaleTarget": 80, "scaleMetric": "cpu", "autoScaling": {"metrics": []}}
# What the rollout writes itself, and a template must leave to it.
OWN: dict[str, Bad] = {
    "a name": Bad(predictor_of(name="v2"), "template.spec.predictor.name: the rollout sets it; leave it out"),
    "a share": Bad(predictor_of(canaryTrafficPercent=10), "template.spec.predictor.canaryTrafficPercent: the rollout"),
    **{
        f"{field} beside autoscaling": Bad(
            {**predictor_of(**{field: value}), "autoscaling": {"maxReplicas": 4}},
            "template.spec.predictor: with spec.autoscaling, it takes no minReplicas, maxReplicas, scaleTarget, scaleMetric or autoScaling",
        )
        for field, value in _FIXED.items()
    },
}
