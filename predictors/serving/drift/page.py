"""A report as one HTML page, which asks for nothing from elsewhere: a table, and the reference beside the rows now."""

from html import escape
from itertools import chain

from predictors.serving.drift.compare import Comparison
from predictors.serving.drift.report import Report, Verdict

_STYLE = """
:root { color-scheme: light dark; --then: #8a8f98; --now: #2f6fdf; --bad: #c0362c; --look: #a86400; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --now: #6ea1ff; --bad: #ff7b6e; --look: #f0b04f; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.drift { color: var(--bad); font-weight: 600; } .look { color: var(--look); font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1.5rem; margin-top: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 600; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
.then { fill: var(--then); } .now { fill: var(--now); }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 1rem; }
"""
_CLASSES = {Verdict.DRIFT: "drift", Verdict.LOOK: "look", Verdict.SAME: "", Verdict.UNKNOWN: ""}
# Sizes in the drawing's own units: a bin, a bar in it, the longest bar, and where bars begin and end.
_BIN, _BAR, _LENGTH, _LEFT, _WIDTH = 34, 13, 170, 130, 350
_LONGEST_NAME = 20


def render(report: Report) -> str:
    """The page."""
    title = f"Drift of {report.model}, version {report.version}"
    rows = "".join(_row(report, each) for each in report.comparisons)
    plots = "".join(_plot(each) for each in report.comparisons if each.rows)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{"".join(f"<p>{escape(line)}</p>" for line in summary(report))}
<table>
<thead><tr><th>side</th><th>feature</th><th class="number">PSI</th><th class="number">by chance, up to</th>
<th class="number">Jensen-Shannon</th><th class="number">rows</th><th>verdict</th></tr></thead>
<tbody>{rows}</tbody>
</table>
<p class="key"><span style="background:var(--then)"></span>reference<span style="background:var(--now)"></span>now</p>
<div class="plots">{plots}</div>
</body>
</html>
"""


def summary(report: Report) -> list[str]:
    """What was compared, in sentences."""
    drifted = sum(report.verdict(each) is Verdict.DRIFT for each in report.comparisons)
    period = f", from {report.period[0]} to {report.period[1]}" if report.period else ""
    beside = report.reference.made_of or "the reference"
    found = [
        f"{_many(report.requests, 'request')} and {_many(report.responses, 'answer')}{period}, beside {beside}.",
        f"{drifted} of {len(report.comparisons)} distributions have a PSI of {report.threshold:g} or more.",
    ]
    if report.skipped:
        skipped = (f"{reason}: {count:,}" for reason, count in report.skipped.items())
        found.append("Not counted: " + "; ".join(skipped) + ".")
    return found


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def cells(report: Report, comparison: Comparison) -> tuple[str, ...]:
    """A comparison as a row of a table."""
    distribution, verdict = comparison.distribution, report.verdict(comparison)
    said = f"{verdict} ({_needed(comparison)})" if verdict is Verdict.UNKNOWN else str(verdict)
    numbers = (
        [f"{each:.3f}" for each in (comparison.psi, comparison.chance, comparison.js)] if comparison.rows else ["-"] * 3
    )
    return distribution.side, distribution.name, *numbers, f"{comparison.rows:,}", said


def _needed(comparison: Comparison) -> str:
    if not comparison.rows:
        return "none"
    if not comparison.least_rows:
        return "no number is enough for so few rows of the reference"
    return f"{comparison.least_rows:,} are needed"


def _row(report: Report, comparison: Comparison) -> str:
    side, name, psi, chance, js, rows, said = map(escape, cells(report, comparison))
    numbers = "".join(f'<td class="number">{each}</td>' for each in (psi, chance, js, rows))
    kind = _CLASSES[report.verdict(comparison)]
    return f'<tr><td>{side}</td><td>{name}</td>{numbers}<td class="{kind}">{said}</td></tr>\n'


def _plot(comparison: Comparison) -> str:
    """Bars of the reference's shares and of those now, bin by bin; bins that both lack are left out."""
    distribution = comparison.distribution
    then_rows, now_rows = distribution.rows, comparison.rows
    bins = [
        (name, then / then_rows, now / now_rows)
        for name, then, now in zip(distribution.bin_names(), distribution.counts, comparison.counts, strict=True)
        if then or now
    ]
    longest = max(chain.from_iterable((then, now) for _, then, now in bins))
    bars = "".join(
        f'<text x="{_LEFT - 6}" y="{place * _BIN + 19}" text-anchor="end">{escape(_short(name))}'
        f"<title>{escape(name)}</title></text>"
        + _bar("then", place * _BIN + 2, then, longest)
        + _bar("now", place * _BIN + 2 + _BAR, now, longest)
        for place, (name, then, now) in enumerate(bins)
    )
    title = f"{distribution.side}: {distribution.name}"
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {len(bins) * _BIN}" role="img" aria-label="{escape(title)}">'
        f"{bars}</svg></figure>\n"
    )


def _bar(kind: str, y: int, share: float, longest: float) -> str:
    width = _LENGTH * share / longest
    return (
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR - 1}"/>'
        f'<text x="{_LEFT + width + 4:.1f}" y="{y + _BAR - 2}">{share:.1%}</text>'
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
