"""What the doctor found, for people and for programs."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from predictors.doctor.check import Check
    from predictors.doctor.examine import Report
    from predictors.doctor.finding import Finding

_COLORS = {"risk": "bold red", "warning": "bold yellow", "note": "bold cyan"}
_COULD_NOT_LOOK = "bold magenta"


def draw(report: "Report", *, verbose: bool) -> None:
    """Print a report. Lines are never broken, so that they can be copied."""
    console = Console(highlight=False, soft_wrap=True)
    for severity, findings in groupby(report.findings, lambda each: str(each.severity)):
        console.print(Text(severity.upper(), style=_COLORS[severity]))
        for alike in _alike(list(findings)):
            _draw_alike(console, alike)
        console.print()
    if report.unseen:
        console.print(Text("COULD NOT LOOK", style=_COULD_NOT_LOOK))
        for reason, checks in _by_reason(report):
            console.print(Text(f"  {', '.join(checks)}: {reason}"))
        console.print()
    if verbose and report.fine:
        console.print(Text("FINE", style="bold green"))
        console.print(Text(f"  {', '.join(report.fine)}\n"))
    for frame in dict.fromkeys(each.issue.fix.frame for each in report.findings if each.issue.fix.frame):
        console.print(Text(f"Where a line begins with --set, it completes: {frame.replace('{}', '--set …')}"))
    console.print(Text(_summary(report), style="bold"))


def as_json(report: "Report") -> dict[str, Any]:
    """A report as JSON."""
    return {
        "findings": [
            {"check": check, "severity": str(severity), **issue._asdict(), "fix": str(issue.fix)}
            for check, severity, issue in report.findings
        ],
        "unseen": [each._asdict() for each in report.unseen],
        "fine": report.fine,
    }


def explain(checks: Sequence["Check"]) -> None:
    """Print what each check is for."""
    console = Console(highlight=False, soft_wrap=True)
    for check in checks:
        severity = (f"{check.severity:<8} ", _COLORS[check.severity])
        console.print(Text.assemble(severity, (check.id, "bold"), f": {check.finds}. {check.why}"))
        console.print(Text(f"         {check.remedy}", style="dim"))


def _draw_alike(console: Console, alike: list["Finding"]) -> None:
    subjects = ", ".join(dict.fromkeys(each.issue.subject.removeprefix("inferenceservice/") for each in alike))
    console.print(Text.assemble(("  " + alike[0].check, "bold"), f"  {subjects}: {alike[0].issue.message}"))
    for line in dict.fromkeys(each.issue.fix.line for each in alike):
        console.print(Text(f"      {line}", style="green"))


def _alike(findings: list["Finding"]) -> Iterator[list["Finding"]]:
    """Findings of one check that say the same of several subjects."""
    for key in dict.fromkeys((each.check, each.issue.message) for each in findings):
        yield [each for each in findings if (each.check, each.issue.message) == key]


def _by_reason(report: "Report") -> Iterator[tuple[str, list[str]]]:
    for reason in dict.fromkeys(each.reason for each in report.unseen):
        yield reason, [each.check for each in report.unseen if each.reason == reason]


def _summary(report: "Report") -> str:
    counts = {severity: sum(each.severity == severity for each in report.findings) for severity in _COLORS}
    found = ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in counts.items())
    blind = len({each.check for each in report.unseen})
    looked = f"; {blind} could not look" if blind else ""
    return f"{found}; {len(report.fine)} checks found nothing{looked}"
