"""What a model's pod exports, as far as the checks ask."""

from collections.abc import Mapping

from predictors.doctor.model import Model
from predictors.rollout.metrics.exposition import Point, Reader


def points(model: Model) -> list[Point]:
    """The series of one of its pods; none, if they could not be read or are not in the format."""
    text = model.cluster.metrics.get(model.name, "")
    try:
        return Reader().points(text) if text else []
    except ValueError:
        return []


def labels_of(model: Model, series: str) -> Mapping[str, str]:
    """The labels of the first series of a name; none, if there is none."""
    return next((each.labels for each in points(model) if each.name == series), {})
