"""What a check finds, and the line that fixes it."""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad a finding is."""

    RISK = "risk"
    """Requests fail or strangers get in, now or in the next ordinary event, such as a node's drain."""
    WARNING = "warning"
    """What should be otherwise in production."""
    NOTE = "note"
    """What is good to have, or could be elsewhere, where it cannot be seen."""


class Fix(NamedTuple):
    """A line for a shell.

    Args:
        line: the line; or what goes in place of the braces of `frame`.
        frame: what several lines share, so that they can be given together; empty: the line is complete.
    """

    line: str
    frame: str = ""

    def __str__(self) -> str:
        """The whole line."""
        return self.frame.replace("{}", self.line) if self.frame else self.line


class Issue(NamedTuple):
    """Something that is not as it should be.

    Args:
        subject: where, as KIND/NAME.
        message: what, in one sentence.
        fix: what to do.
    """

    subject: str
    message: str
    fix: Fix


class Finding(NamedTuple):
    """An issue, as it is reported.

    Args:
        check: the id of the check that found it.
        severity: of that check.
        issue: what it found.
    """

    check: str
    severity: Severity
    issue: Issue


class Unseen(NamedTuple):
    """A check that could not look.

    Args:
        check: its id.
        reason: why, with the right that it needs.
    """

    check: str
    reason: str
