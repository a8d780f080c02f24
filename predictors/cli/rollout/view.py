"""A rollout as a picture: where it is, its steps, its two versions, its checks, and what happened last.

What colours say, words or signs say too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from predictors.rollout.spec import Strategy

_WIDE = 200
_COLORS = {
    "Healthy": "green",
    "Pass": "green",
    "Promoted": "green",
    "Progressing": "cyan",
    "Promoting": "cyan",
    "Starting": "cyan",
    "Paused": "yellow",
    "NotYet": "yellow",
    "Blocked": "red",
    "Fail": "red",
    "RollingBack": "red",
    "RolledBack": "red",
}
_SIGNS = {"Pass": "✓", "Fail": "✗", "NotYet": "…"}
_EVENTS = 5


@dataclass(frozen=True)
class Picture:
    """What is shown.

    Args:
        namespace, name: of the rollout.
        status: as an InferenceRollout's.
        strategy: its steps; None: they cannot be read.
        now: seconds since the epoch.
        events: its last ones, oldest first.
    """

    namespace: str
    name: str
    status: dict[str, Any]
    strategy: "Strategy | None"
    now: float
    events: Sequence[dict[str, Any]] = field(default=())

    def __rich__(self) -> Group:
        """Draw it."""
        parts: list[RenderableType] = [self._title(), Text(str(self.status.get("message") or ""))]
        parts += [Text(), self._facts()]
        if checks := self.status.get("checks"):
            parts += [Text(), _checks(checks)]
        for fault in self.status.get("faults") or []:
            parts.append(Text(f"not measured: {fault}", style="yellow"))
        if self.events:
            parts += [Text(), _events(self.events)]
        return Group(*parts)

    def _title(self) -> Text:
        phase = str(self.status.get("phase") or "not seen by a controller yet")
        title = Text(self.name, style="bold")
        title.append(f"  {phase}", style=_COLORS.get(phase, ""))
        details = [f"namespace {self.namespace}"]
        if routing := self.status.get("routing"):
            details.append(f"{routing} routing")
        return title.append(f"  ({', '.join(details)})", style="not bold dim")

    def _facts(self) -> Table:
        table = Table.grid(padding=(0, 2))
        if self.strategy is not None:
            table.add_row("steps", self._steps(self.strategy))
        if self.status.get("canary"):
            table.add_row("weight", _weights(self.status))
        for name in ("stable", "canary"):
            if variant := self.status.get(name):
                table.add_row(name, _variant(variant))
        return table

    def _steps(self, strategy: "Strategy") -> Text:
        present = (self.status.get("step") or {}).get("number", 0) if self.status.get("canary") else None
        line = Text()
        for number, step in enumerate(strategy.steps, 1):
            text = f"{step.weight}%"
            if step.weight in strategy.pause_before:
                text = f"(a person) {text}"
            if present is None or number > present:
                line.append(f"· {text}", style="dim")
            elif number < present:
                line.append(f"✓ {text}", style="green")
            else:
                line.append(f"▶ {text}{self._hold()}", style="bold cyan")
            line.append("   ")
        return line

    def _hold(self) -> str:
        from predictors.rollout.spec import format_duration

        until = (self.status.get("step") or {}).get("holdUntil")
        if not until:
            return ""
        left = datetime.fromisoformat(until).timestamp() - self.now
        return f" ({format_duration(left)} of its hold left)" if left >= 1 else " (held)"


def draw(picture: RenderableType) -> None:
    """Print a picture once. What is piped is not cut to a terminal's width."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE)
    console.print(picture)


def overview(rollouts: Sequence[dict[str, Any]]) -> Table:
    """All rollouts, one a row."""
    table = Table(
        "NAMESPACE", "NAME", "PHASE", "WEIGHT", "STEP", "VERDICT", "STABLE", "CANARY", box=None, pad_edge=False
    )
    table.add_column("MESSAGE", no_wrap=True, overflow="ellipsis")
    for each in rollouts:
        status = each.get("status") or {}
        phase, verdict, step = status.get("phase") or "-", status.get("verdict") or "-", status.get("step") or {}
        table.add_row(
            each["metadata"]["namespace"],
            each["metadata"]["name"],
            Text(phase, style=_COLORS.get(phase, "")),
            _weights(status) if status.get("canary") else "-",
            f"{step.get('number')}/{step.get('of')}" if step else "-",
            Text(verdict, style=_COLORS.get(verdict, "")),
            str((status.get("stable") or {}).get("revision") or "-"),
            str((status.get("canary") or {}).get("revision") or "-"),
            Text(str(status.get("message") or "")),
        )
    return table


def _weights(status: dict[str, Any]) -> str:
    weight = status.get("weight") or {}
    asked, seen = weight.get("asked", 0), weight.get("seen")
    return (
        f"{asked}%"
        if asked == seen
        else f"{asked}% asked, {'not all routes agree' if seen is None else f'{seen}% seen'}"
    )


def _variant(variant: dict[str, Any]) -> Text:
    pods = variant.get("pods") or {}
    parts = [str(variant.get("revision") or "")]
    if version := variant.get("version"):
        parts.append(f"version {version}")
    parts.append(f"{pods.get('ready', 0)}/{pods.get('wanted', 0)} pods ready")
    if uri := variant.get("storageUri"):
        parts.append(str(uri))
    return Text("  ".join(parts))


def _checks(checks: Sequence[dict[str, Any]]) -> Table:
    headers = ("CHECK", "VERDICT", "STABLE", "CANARY", "EFFECT BETWEEN", "BOUND", "SURE", "SAMPLES")
    table = Table(*headers, box=None, pad_edge=False)
    table.add_column("", style="dim")
    for each in checks:
        verdict = str(each.get("verdict") or "")
        table.add_row(
            Text(str(each.get("name"))),
            Text(f"{_SIGNS.get(verdict, '')} {verdict}", style=_COLORS.get(verdict, "")),
            _number(each.get("stable")),
            _number(each.get("canary")),
            f"{_number(each.get('low'))} … {_number(each.get('high'))}",
            _number(each.get("bound")),
            f"{100 * each['confidence']:.4g}%" if each.get("confidence") is not None else "-",
            str(each.get("samples") or 0),
            Text(str(each.get("message") or "")),
        )
    return table


def _events(events: Sequence[dict[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for each in events[-_EVENTS:]:
        when = str(each.get("lastTimestamp") or "")[11:19]
        sign = "!" if each.get("type") == "Warning" else " "
        style = "yellow" if sign == "!" else "dim"
        table.add_row(when, sign, str(each.get("reason") or ""), Text(str(each.get("message") or "")), style=style)
    return table


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}"
