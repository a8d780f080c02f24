"""What a model's pod exports, as far as the checks ask."""

from predictors.doctor.model import Model
from predictors.rollout.metrics.exposition import Point, Reader


def series(model: Model, prefix: str) -> list[Point] | None:
    """The series whose names begin so, of one of its pods; None, if they could not be read or are not in the format."""
    exposition = model.cluster.metrics.get(model.name)
    if exposition is None:
        return None
    lines = [f"{line}\n" for line in exposition.split("\n") if line.startswith(prefix)]
    try:
        return Reader().points("".join(lines)) if lines else []
    except ValueError:
        return None
