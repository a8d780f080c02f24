"""Write the dashboards: `python -m scripts.dashboards`."""

import json
from pathlib import Path

from scripts.dashboards.overview import OVERVIEW
from scripts.dashboards.panels import dashboard_json
from scripts.dashboards.rollouts import ROLLOUTS
from scripts.dashboards.summarizer import SUMMARIZER

DIRECTORY = Path(__file__).parents[2] / "charts/predictors/files/dashboards"
DASHBOARDS = {"overview": OVERVIEW, "summarizer": SUMMARIZER, "rollouts": ROLLOUTS}


def render() -> dict[str, str]:
    """The files' texts, by name."""
    return {
        f"{name}.json": json.dumps(dashboard_json(dashboard), indent=1, ensure_ascii=False) + "\n"
        for name, dashboard in DASHBOARDS.items()
    }


def main() -> None:
    """Write them all."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, text in render().items():
        (DIRECTORY / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
