"""All checks of what was read."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from predictors.doctor.check import Check
from predictors.doctor.finding import Finding, Severity, Unseen
from predictors.doctor.model import Model, models
from predictors.doctor.snapshot import Snapshot
from predictors.doctor.sources import PODS
from predictors.doctor.table import CHECKS

_ORDER = list(Severity)
_LONGEST = 600


class Report(NamedTuple):
    """What the checks found.

    Args:
        findings: the worst first.
        unseen: checks that could not look, at all or everywhere.
        fine: ids of those that found nothing.
    """

    findings: list[Finding]
    unseen: list[Unseen]
    fine: list[str]

    def status(self, fail_on: Severity) -> int:
        """The command's exit status: 1 if something is as bad as that, else 2 if a check could not look, else 0."""
        if any(_ORDER.index(each.severity) <= _ORDER.index(fail_on) for each in self.findings):
            return 1
        return 2 if self.unseen else 0


def examine(cluster: Snapshot, ignored: Collection[str] = ()) -> Report:
    """Run the checks.

    Args:
        cluster: what was read.
        ignored: ids of checks to leave out.
    """
    report, found_models = Report([], [], []), models(cluster)
    for check in CHECKS:
        if check.id not in ignored:
            _run(check, cluster, found_models, report)
    report.findings.sort(key=lambda each: _ORDER.index(each.severity))
    return report


def _run(check: Check, cluster: Snapshot, found_models: Sequence[Model], report: Report) -> None:
    """Run a check, if what it needs was read. Where some pods could not be asked, the others are looked at."""
    missing = {what: why for what, why in cluster.unread.items() if what.partition(" ")[0] in check.needs}
    report.unseen.extend(Unseen(check.id, _plain(reason)) for reason in dict.fromkeys(missing.values()))
    if any(not what.startswith(PODS) for what in missing):
        return
    issues = [issue._replace(message=_plain(issue.message)) for issue in check.look(cluster, found_models)]
    report.findings.extend(Finding(check.id, check.severity, issue) for issue in issues)
    if not missing and not issues:
        report.fine.append(check.id)


def _plain(message: str) -> str:
    """One line of bounded length, without what a terminal would act on: parts of it were written by others."""
    line = " ".join("".join(each if each.isprintable() else " " for each in message).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
