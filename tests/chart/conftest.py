"""helm, and what it renders of each scenario."""

import pytest

from tests.chart.chart import CHART, Chart, Rendered, scenarios
from tests.programs import find_program


@pytest.fixture(scope="session")
def chart() -> Chart:
    """The chart."""
    helm = find_program("helm")
    if not helm:
        pytest.skip("helm is not installed: neither in the PATH nor named by HELM")
    return Chart(helm)


@pytest.fixture(scope="session", params=scenarios(CHART))
def scenario(request: pytest.FixtureRequest) -> str:
    """The name of each scenario of the chart's ci/, in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def rendered(chart: Chart, scenario: str) -> Rendered:
    """What a scenario renders."""
    return chart.render(scenario)
