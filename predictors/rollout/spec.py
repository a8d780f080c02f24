"""What a user writes of a rollout: the spec of an InferenceRollout, and the options of `predictors rollout run`."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator
from pydantic.alias_generators import to_camel

GROUP = "rollouts.predictors.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "InferenceRollout"

_UNITS = {"s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
CheckType = Literal["errors", "latency", "labels", "confidence", "summaries", "agreement", "custom"]


def parse_duration(text: object) -> object:
    """Seconds of a text such as 90s, 2m or 1h30m; anything but a text is left to the field's type.

    Raises:
        ValueError: it is no duration.
    """
    if not isinstance(text, str):
        return text
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"{text!r} is not a duration; write 30s, 5m or 1h30m")
    return sum(int(number) * unit for number, unit in zip(match.groups(default="0"), (3600, 60, 1), strict=True))


def format_duration(seconds: float) -> str:
    """The same the other way: 90 is 1m30s."""
    rest = round(seconds)
    parts = []
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[int, BeforeValidator(parse_duration), PlainSerializer(format_duration), Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Step(_Model):
    """One share of the traffic.

    Args:
        weight: of the canary, percent.
        hold: for how long at least, seconds.
    """

    weight: int = Field(ge=1, le=100)
    hold: Duration = 0


class Check(_Model):
    """One thing that the canary must not be worse in.

    Args:
        type: what is compared.
        name: of the check in reports; its type by default. Two checks of one type need names.
        bound: how much worse the canary may be, in the type's own unit; see `docs/rollouts.md`. The type has a default.
        quantile: of latencies.
        slack: what is added to stable's latency before it is compared, seconds; 0.002 by default. Type latency only.
        query: PromQL that gives one number, with {{canary}} and {{stable}} for the label matchers of their pods; type
            custom only.
        min, max: what that number must be within.
    """

    type: CheckType
    name: str = Field(default="", max_length=63, pattern="^[a-z0-9-]*$")
    bound: float | None = Field(default=None, ge=0)
    quantile: float = Field(default=0.95, gt=0, lt=1)
    slack: float | None = Field(default=None, ge=0)
    query: str = ""
    min: float | None = None
    max: float | None = None

    @property
    def label(self) -> str:
        """The name in reports."""
        return self.name or self.type

    @model_validator(mode="after")
    def _check(self) -> "Check":
        if (self.type == "custom") != bool(self.query):
            raise ValueError("query: a check of type custom needs one, and no other type takes one")
        if self.type == "custom" and self.min is None and self.max is None:
            raise ValueError("min, max: a check of type custom needs one of them, or both")
        return self


class Shadow(_Model):
    """Before the first step, the canary answers copies of stable's requests; users do not see its answers.

    Args:
        percent: share of stable's requests that are copied.
        hold: for how long at least, seconds.
    """

    percent: int = Field(ge=1, le=100)
    hold: Duration = 60


class MetricsSource(_Model):
    """Where the numbers come from.

    Args:
        prometheus_url: of a Prometheus; without one, the pods are asked for their own metrics.
        interval: between two looks, seconds.
    """

    prometheus_url: str = ""
    interval: Duration = Field(default=5, ge=1)


class Strategy(_Model):
    """How a new version gets its traffic.

    Args:
        routing: how the traffic is split: by KServe's canaries, by a pair of InferenceServices with an HTTPRoute, by
            Knative; auto: by what the cluster can do.
        steps: weights in ascending order; the last is 100.
        pause_before: weights that a person has to let it go on to.
        checks: what is compared; None: errors and latency, and what the predictor exports of labels, confidence and
            summaries.
        confidence: with which a check passes or fails, over all checks and looks together.
        on_failure: what a failed check or a missed deadline does.
        evidence_limit: how long a step may wait for a verdict after its hold, seconds; then `on_failure`.
        progress_deadline: how long pods may take to be ready, and a route to follow, seconds; then `on_failure`.
        drain: how long a variant without traffic is kept for the requests that it has, seconds; None: the predictor's
            `timeout`, or 60.
        shadow: copies of requests before the first step.
        metrics: where the numbers come from.
    """

    routing: Literal["auto", "canary", "pair", "knative"] = "auto"
    steps: tuple[Step, ...] = Field(
        default=(Step(weight=5, hold=120), Step(weight=25, hold=300), Step(weight=50, hold=300), Step(weight=100)),
        min_length=1,
        max_length=20,
    )
    pause_before: tuple[int, ...] = ()
    checks: tuple[Check, ...] | None = None
    confidence: float = Field(default=0.95, ge=0.5, le=0.9999)
    on_failure: Literal["rollback", "pause"] = "rollback"
    evidence_limit: Duration = 3600
    progress_deadline: Duration = Field(default=600, ge=1)
    drain: Duration | None = None
    shadow: Shadow | None = None
    metrics: MetricsSource = MetricsSource()

    @model_validator(mode="after")
    def _check(self) -> "Strategy":
        weights = [step.weight for step in self.steps]
        if weights != sorted(set(weights)) or weights[-1] != 100:
            raise ValueError("steps: the weights must rise, and the last must be 100")
        if unknown := set(self.pause_before) - set(weights):
            raise ValueError(f"pauseBefore: no step has the weight {min(unknown)}")
        labels = [check.label for check in self.checks or ()]
        if len(set(labels)) != len(labels):
            raise ValueError("checks: two have the same name; give each a name of its own")
        if any(check.type == "custom" for check in self.checks or ()) and not self.metrics.prometheus_url:
            raise ValueError("checks: a check of type custom needs metrics.prometheusUrl")
        return self


class Autoscaling(_Model):
    """An HPA for each variant, owned by the rollout.

    Args:
        min_replicas, max_replicas: number of pods; the maximum is the minimum by default.
        cpu: target of CPU use, percent of the request.
        requests_per_second, queue_depth: targets per pod; they need Prometheus and prometheus-adapter.
    """

    min_replicas: int = Field(default=1, ge=1)
    max_replicas: int | None = Field(default=None, ge=1)
    cpu: int | None = Field(default=None, ge=1, le=100)
    requests_per_second: float | None = Field(default=None, gt=0)
    queue_depth: float | None = Field(default=None, gt=0)
    behavior: dict[str, Any] = {}

    @property
    def most(self) -> int:
        """The maximum."""
        return self.max_replicas or self.min_replicas

    @model_validator(mode="after")
    def _check(self) -> "Autoscaling":
        if self.most < self.min_replicas:
            raise ValueError("maxReplicas is less than minReplicas")
        return self


class TemplateMetadata(_Model):
    """Labels and annotations of the InferenceService."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class TemplateSpec(_Model):
    """Spec of the InferenceService; only a predictor, since KServe splits traffic for nothing else."""

    predictor: dict[str, Any]


class Template(_Model):
    """What the InferenceService shall be."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: TemplateSpec


class RolloutSpec(_Model):
    """Spec of an InferenceRollout.

    Args:
        template: of the InferenceService that has the rollout's name.
        version: that the model of the template must report, if given.
        strategy: how a new template gets its traffic.
        autoscaling: HPAs of the rollout's own. Without it, the template's `minReplicas` and KServe's autoscaler class
            say how many pods there are.
        paused: nothing goes on while it is set.
        history_limit: how many earlier revisions are kept for an undo.
    """

    template: Template
    version: str = ""
    strategy: Strategy = Strategy()
    autoscaling: Autoscaling | None = None
    paused: bool = False
    history_limit: int = Field(default=10, ge=1, le=100)
