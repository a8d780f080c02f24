"""A strategy from a file and from options, which win."""

from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from predictors.rollout.kube.api import KubeError
from predictors.rollout.spec import Strategy


class BadStrategy(KubeError):
    """It is no strategy; the text says why, in one sentence."""


@dataclass(frozen=True)
class Wishes:
    """What options say; empty: nothing.

    Args:
        steps: weights, "10,50,100".
        hold: of each step but the last.
        pause_before: weights, "50,100".
        fields: fields of a strategy that are texts, by their names in YAML.
        metrics: the same of `metrics`.
    """

    steps: str = ""
    hold: str = ""
    pause_before: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()


def strategy_of(text: str, wishes: Wishes) -> Strategy:
    """A strategy.

    Args:
        text: YAML of `spec.strategy`; empty: the defaults.
        wishes: what options say.

    Raises:
        BadStrategy: it is none.
    """
    base = _read(text)
    if wishes.steps:
        base["steps"] = [{"weight": weight} for weight in _weights("--steps", wishes.steps)]
    if wishes.hold:
        steps = base.get("steps") or [{"weight": step.weight} for step in Strategy().steps]
        base["steps"] = [{**step, "hold": wishes.hold} for step in steps[:-1]] + steps[-1:]
    if wishes.pause_before:
        base["pauseBefore"] = _weights("--pause-before", wishes.pause_before)
    base |= {key: value for key, value in wishes.fields if value}
    if metrics := {key: value for key, value in wishes.metrics if value}:
        base["metrics"] = (base.get("metrics") or {}) | metrics
    try:
        return Strategy.model_validate(base)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        message = problem["msg"].removeprefix("Value error, ")
        raise BadStrategy(f"strategy: {f'{where}: ' if where else ''}{message}") from None


def _read(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise BadStrategy(f"the strategy is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise BadStrategy("the strategy has no fields; it is what an InferenceRollout has as spec.strategy")
    return found


def _weights(option: str, text: str) -> list[int]:
    try:
        return [int(each.strip().removesuffix("%")) for each in text.split(",")]
    except ValueError:
        raise BadStrategy(f"{option} takes weights in percent, such as 10,50,100") from None
