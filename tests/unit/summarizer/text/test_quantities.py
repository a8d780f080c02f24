"""What numbers count."""

import pytest

from predictors.summarizer.text.quantities import Quantity, quantities
from predictors.summarizer.text.words import tokens


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("within 14 days", {Quantity("minutes", 14 * 1440, 14)}),
        ("two (2) business weeks", {Quantity("minutes", 2 * 10080, 2)}),
        ("12 months or a year", {Quantity("months", 12, 12), Quantity("months", 12, 0)}),
        ("€9 monthly", {Quantity("€", 9, 9), Quantity("months", 1, 0)}),
        ("25 USD or US$25", {Quantity("$", 25, 25)}),
        ("8%, eight percent", {Quantity("%", 8, 8)}),
        ("aged 18, section 12.3.1", {Quantity("", 18, 18)}),
        ("on the 15th", {Quantity("th", 15, 15)}),
    ],
)
def test_quantities(text: str, found: set[Quantity]) -> None:
    assert set(quantities(tokens(text)).values()) == found
