"""Settings of the intent predictor."""

from pydantic import Field

from predictors.serving.settings import Settings


class IntentSettings(Settings):
    """The intent predictor's own settings."""

    unknown_threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description='Confidence below which the intent is "unknown"; the default is in the manifest.',
    )
