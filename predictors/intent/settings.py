"""Settings of the intent predictor."""

from pydantic import Field

from predictors.serving.settings import Settings


class IntentSettings(Settings):
    """What only the intent predictor has."""

    unknown_threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description='Confidence below which an intent is "unknown"; the manifest has the default.',
    )
