"""Draw a run's results. Runs in the peers' environment, which has matplotlib.

python plot.py SUMMARY.json PLOT.svg
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib  # type: ignore[import-not-found]
from matplotlib.figure import Figure  # type: ignore[import-not-found]

# Okabe and Ito's palette, which people with any colour vision can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#999999")


def bars(axes: Any, groups: list[str], series: dict[str, list[float]], title: str, form: str) -> None:
    """Groups of bars, one for each series, with the values on top."""
    width = 0.8 / len(series)
    for place, (name, values) in enumerate(series.items()):
        positions = [group + (place - (len(series) - 1) / 2) * width for group in range(len(groups))]
        drawn = axes.bar(positions, values, width * 0.94, label=name, color=COLOURS[place])
        axes.bar_label(drawn, fmt=form, fontsize=8, padding=2)
    axes.set_xticks(range(len(groups)), groups)
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.12)


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    servers = json.loads(source.read_text())["servers"]
    # Text stays text, in the reader's own font; the same results make the same file.
    matplotlib.rcParams.update({"svg.hashsalt": "0", "svg.fonttype": "none", "font.family": "sans-serif"})
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    counts = list(next(iter(servers.values()))["loads"])
    rates = {
        name: [server["loads"][count]["tokens_per_second"] for count in counts] for name, server in servers.items()
    }
    bars(left, [f"{count} at once" for count in counts], rates, "New tokens a second, all requests together", "%.0f")
    firsts = {
        name: [server[f"first_token_{kind}"] * 1000 for kind in ("cold", "seen")] for name, server in servers.items()
    }
    bars(right, ["never seen", "seen before"], firsts, "First token after a prefix of 500 tokens, ms", "%.0f")
    left.legend(frameon=False, fontsize=9)
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main()
