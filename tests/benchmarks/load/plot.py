"""Draw a run's results. Runs in MLServer's environment, where matplotlib is.

python plot.py RUN.json FOLDER
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib  # type: ignore[import-not-found]
from matplotlib.figure import Figure  # type: ignore[import-not-found]

# Okabe and Ito's palette, which people with any colour vision can tell apart.
COLOURS = {
    "kserve-predictors": "#0072B2",
    "bare ASGI": "#999999",
    "stock KServe": "#D55E00",
    "MLServer": "#E69F00",
    "FastAPI": "#009E73",
}
MARKERS = {"kserve-predictors": "o", "bare ASGI": "s", "stock KServe": "^", "MLServer": "D", "FastAPI": "v"}
GROUPS = (
    ("iris", "V1"), ("iris", "V2"), ("iris", "V2 binary"), ("iris", "gRPC"),
    ("intent", "V1"), ("intent", "V2"), ("intent", "V2 binary"), ("intent", "gRPC"),
)  # fmt: skip
# Titles, models, protocols, and servers that are shown whatever their protocol: MLServer has no V1.
PANELS = (
    ("iris, V1 (MLServer: V2)", "iris", ("V1",), ("MLServer",)),
    ("intent, V1", "intent", ("V1",), ()),
    ("iris, V2 JSON", "iris", ("V2",), ()),
)
Point = dict[str, Any]


def bars(points: list[Point], names: tuple[str, str, str], title: str) -> Figure:
    """Bars of the closed loops, a group for each kind of request; lines show the lowest and highest round.

    Args:
        points: of the run.
        names: fields of a point: the median, the lowest, the highest.
        title: what the bars are.
    """
    figure = Figure(figsize=(12, 4), layout="constrained")
    axes = figure.subplots()
    found = {(p["server"], p["model"], p["protocol"]): p for p in points if p["kind"] == "closed loop"}
    groups = [group for group in GROUPS if any(key[1:] == group for key in found)]
    labelled = set()
    for place, group in enumerate(groups):
        present = [server for server in COLOURS if (server, *group) in found]
        for number, server in enumerate(present):
            median, lowest, highest = (found[(server, *group)][name] for name in names)
            x = place + (number - (len(present) - 1) / 2) * 0.21
            label = None if server in labelled else server
            labelled.add(server)
            spread = {"yerr": [[median - lowest], [highest - median]], "error_kw": {"linewidth": 0.8}}
            drawn = axes.bar(x, median, 0.19, color=COLOURS[server], label=label, **spread)
            axes.bar_label(drawn, fmt="{:,.0f}", fontsize=7, padding=2)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xticks(range(len(groups)), [" ".join(group) for group in groups], fontsize=9)
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.1)
    figure.legend(frameon=False, fontsize=9, loc="outside lower center", ncols=len(COLOURS))
    return figure


def latency(points: list[Point]) -> Figure:
    """The 99th percentile against the offered rate; hollow where a server does not keep up."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    for axes, (title, model, protocols, others) in zip(
        figure.subplots(1, len(PANELS), sharey=True), PANELS, strict=True
    ):
        for server, colour in COLOURS.items():
            line = sorted(
                (p for p in points if p["kind"] == "offered rate" and (p["server"], p["model"]) == (server, model)
                 and (p["protocol"] in protocols or server in others)),
                key=lambda p: p["offered"],
            )  # fmt: skip
            if not line:
                continue
            rates, tails = [p["offered"] for p in line], [p["p99"] for p in line]
            axes.plot(rates, tails, color=colour, label=server, linewidth=1.5)
            for point in line:
                filled = colour if point["rate"] >= 0.95 * point["offered"] else "white"
                axes.plot(
                    point["offered"], point["p99"], MARKERS[server], color=colour, markerfacecolor=filled, markersize=5
                )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(title, fontsize=10, loc="left")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.set_minor_formatter("")
        axes.set_xlabel("requests/s, offered", fontsize=9)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.grid(True, which="major", linewidth=0.4, alpha=0.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    figure.axes[0].set_ylabel("p99, ms (hollow: does not keep up)", fontsize=9)
    return figure


def main() -> None:
    source, folder = map(Path, sys.argv[1:])
    run = json.loads(source.read_text())
    points, connections = run["points"], run["settings"]["connections"]
    # Text stays text, in the reader's own font; the same results make the same file.
    matplotlib.rcParams.update({"svg.hashsalt": "0", "svg.fonttype": "none", "font.family": "sans-serif"})
    how = f"{connections} connections, log scale"
    cost = bars(points, ("cpu_us", "cpu_lowest", "cpu_highest"), f"CPU time per request, µs: less is better ({how})")
    rate = bars(points, ("rate", "lowest", "highest"), f"Requests/s on one core: more is better ({how})")
    for name, figure in (("cpu", cost), ("throughput", rate), ("latency", latency(points))):
        figure.savefig(folder / f"serving-{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
