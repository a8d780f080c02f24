"""The settings of drift."""

from pydantic import Field

from predictors.serving.settings import Settings


class DriftSettings(Settings):
    """Drift: how live traffic is compared with the rows that a model's manifest refers to."""

    drift_window_seconds: float = Field(
        default=3600.0,
        ge=0,
        description="Compare the traffic of this long a window with the artifact's reference, if it has one, seconds. "
        "0: off.",
    )
