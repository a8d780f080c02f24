"""The results as tables, for the terminal and in Markdown."""

from typing import NamedTuple

from rich.console import Console

from tests.benchmarks.chat.servers import LLAMA_CPP_PYTHON, LLAMA_SERVER, OURS
from tests.benchmarks.chat.summary import ServerSummary, Summary
from tests.benchmarks.output import Grid, show_grids


class Target(NamedTuple):
    """A figure to reach."""

    figure: str
    against: str
    wanted: str
    reached: str
    holds: bool


def grids(summary: Summary) -> list[Grid]:
    """The tables of a run."""
    tables = [_loads(summary), _first_tokens(summary), _decode(summary)]
    if summary.ours is not None:
        tables = [_targets(summary), *tables, _own(summary)]
    return tables


def show(summary: Summary, console: Console) -> None:
    """Print the tables."""
    show_grids(grids(summary), console)
    console.print(_method(summary), highlight=False)


def markdown(summary: Summary, plot: str) -> str:
    """The report as a page.

    Args:
        summary: the results.
        plot: the name of the plot's file beside the page.
    """
    parts = ["# The summarizer beside other servers: `make bench-summarizer`", _method(summary)]
    parts.append(f"![Tokens a second and time to the first token, by server]({plot})")
    for grid in grids(summary):
        parts += [f"## {grid.title}", grid.markdown()]
    started = [f"- {name} {server.version}: `{' '.join(server.flags)}`" for name, server in summary.servers.items()]
    parts += ["## How the servers were started", "\n".join(started)]
    parts += ["## Machine", "\n".join(f"- {name}: {value}" for name, value in summary.machine.items())]
    return "\n\n".join(parts) + "\n"


def _method(summary: Summary) -> str:
    settings = summary.settings
    return (
        f"Medians of {settings['rounds']} interleaved rounds with {settings['model']}, {settings['threads']} threads, "
        f"greedy: one server runs, the others are suspended. Requests are streamed chat completions with a user "
        f"message of some 330 tokens, no two alike, and {settings['new_tokens']} new tokens; a load has "
        f"{settings['waves']} of them a connection, and two at least. All are sent by one process, which took "
        f"{summary.client_share:.1%} of a core at the most; "
        f"processes that have nothing to do with it took {summary.others_share:.0%} of the machine."
    )


def _targets(summary: Summary) -> Grid:
    own, ours = summary.ours, summary.servers[OURS]
    assert own is not None
    found = []
    for peer, wanted in ((LLAMA_CPP_PYTHON, {4: 2.0, 8: 2.5}), (LLAMA_SERVER, {1: 0.95, 4: 0.95, 8: 0.95})):
        if peer in summary.servers:
            for count, least in wanted.items():
                ratio = summary.servers[peer].loads[count].ours_to_this or 0.0
                figure = f"total tokens/s at {count} concurrent"
                found.append(Target(figure, peer, f"≥ {least}×", f"{ratio:.2f}×", ratio >= least))
    share, faster = ours.share_of_bandwidth, ours.first_token_cold / ours.first_token_seen
    bandwidth = f"{summary.read_gb_per_second:.1f} GB/s read bandwidth"
    found.append(Target("decode at batch 1", bandwidth, "≥ 60%", f"{share:.0%}", share >= 0.6))
    found.append(Target("first token, shared 500-token prefix", "cold", "≥ 5×", f"{faster:.1f}×", faster >= 5))
    p99 = own.health_p99_ms
    found.append(Target("p99 of /v2/health/live, 8 requests", "", "≤ 100 ms", f"{p99:.0f} ms", p99 <= 100))
    if own.step_shares:
        python = own.step_shares.get("python", 0.0)
        found.append(Target("share of a step in Python", "", "≤ 3%", f"{python:.1%}", python <= 0.03))
    rows = [(*target[:4], "yes" if target.holds else "no") for target in found]
    return Grid("Figures to reach", ("figure", "against", "wanted", "reached", "holds"), rows)


def _loads(summary: Summary) -> Grid:
    rows = []
    for count in next(iter(summary.servers.values())).loads:
        for name, server in summary.servers.items():
            load = server.loads[count]
            rows.append(
                (
                    str(count),
                    name,
                    f"{load.tokens_per_second:.1f}",
                    f"{load.lowest:.1f} to {load.highest:.1f}",
                    _or_dash(load.with_prompts_per_second, "{:.0f}"),
                    _or_dash(load.ours_to_this, "{:.2f}×"),
                    f"{load.first_token_seconds:.2f}",
                    f"{load.gap_p50_ms:.1f}",
                    f"{load.gap_p99_ms:.1f}",
                    str(load.ended_early),
                )
            )
    columns = ("at once", "server", "new tokens/s", "spread", "with prompts", "ours to this", "first token, s")
    return Grid("Throughput", (*columns, "gap p50, ms", "gap p99, ms", "ended early"), rows)


def _first_tokens(summary: Summary) -> Grid:
    def row(name: str, server: ServerSummary) -> tuple[str, ...]:
        cold, seen = server.first_token_cold, server.first_token_seen
        return name, f"{cold * 1000:.0f}", f"{seen * 1000:.0f}", f"{cold / seen:.1f}×"

    rows = [row(name, server) for name, server in summary.servers.items()]
    columns = ("server", "cold, ms", "seen, ms", "faster")
    return Grid("First token after a system message of 500 tokens", columns, rows)


def _decode(summary: Summary) -> Grid:
    rows = [
        (
            name,
            f"{server.decode_tokens_per_second:.1f}",
            f"{server.decode_gb_per_second:.1f}",
            f"{server.share_of_bandwidth:.0%}",
        )
        for name, server in summary.servers.items()
    ]
    title = f"Decoding one request; memory reads at {summary.read_gb_per_second:.1f} GB/s"
    return Grid(title, ("server", "tokens/s", "weights, GB/s", "of bandwidth"), rows)


def _own(summary: Summary) -> Grid:
    own = summary.ours
    assert own is not None
    rows = [
        ("/v2/health/live, p99", f"{own.health_p99_ms:.1f} ms of {own.health_polls} polls"),
        ("/v2/health/live, slowest", f"{own.health_max_ms:.1f} ms"),
        *((f"engine time in {part}", f"{share:.1%}") for part, share in own.step_shares.items()),
    ]
    return Grid(f"{OURS} while 8 requests run", ("figure", "measured"), rows)


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
