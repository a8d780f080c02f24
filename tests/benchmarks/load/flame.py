"""Flame graphs: how often each function was on the stack, as boxes above their callers, in a static SVG."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

WIDTH, ROW, MARGIN = 1200, 17, 10
_CHARACTER = 6.6  # width at font size 11
_LEAST_WIDTH = 0.6  # pixels; narrower boxes are left out


@dataclass
class Frame:
    """A function under its callers."""

    name: str
    samples: int = 0
    callees: dict[str, "Frame"] = field(default_factory=dict)


def read(folded: str, root: str) -> Frame:
    """Stacks as py-spy writes them (``a;b;c 12``), from the function ``root`` up; stacks without it are left out."""
    top = Frame(root)
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        names = stack.split(";")
        at = next((i for i, name in enumerate(names) if name.startswith(root)), None)
        if at is None:
            continue
        frame = top
        frame.samples += int(count)
        for name in names[at + 1 :]:
            frame = frame.callees.setdefault(name, Frame(name))
            frame.samples += int(count)
    return top


def widest(top: Frame) -> list[tuple[str, float]]:
    """Each function's share of the samples, summed over all its callers, the widest first."""
    found: dict[str, int] = {}

    def visit(frame: Frame, above: frozenset[str]) -> None:
        if frame.name not in above:
            found[frame.name] = found.get(frame.name, 0) + frame.samples
        for callee in frame.callees.values():
            visit(callee, above | {frame.name})

    visit(top, frozenset())
    return sorted(((name, count / top.samples) for name, count in found.items()), key=lambda each: -each[1])


def draw(top: Frame, title: str) -> str:
    """The graph as SVG; tooltips have the shares."""
    boxes = [*_boxes(top, MARGIN, 0, (WIDTH - 2 * MARGIN) / top.samples)]
    depth = 1 + max(level for _, _, _, level in boxes)
    height = (depth + 2) * ROW + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{WIDTH / 2}" y="{ROW}" text-anchor="middle" font-size="13">{escape(title)}</text>',
    ]
    for frame, x, width, level in boxes:
        y = height - MARGIN - (level + 1) * ROW
        share = f"{frame.samples / top.samples:.1%}"
        ours = "#f4a261" if "predictors/" in frame.name else "#a8c5da"
        lines.append(f"<g><title>{escape(frame.name)}: {share}</title>")
        lines.append(
            f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.4, 0.2):.1f}" height="{ROW - 1}" fill="{ours}"/>'
        )
        label = frame.name.split(" (")[0]
        if len(label) * _CHARACTER > width - 4:
            label = label[: int((width - 4) / _CHARACTER) - 1] + "…" if width > 4 * _CHARACTER else ""
        if label:
            lines.append(f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(label)}</text>')
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def _boxes(frame: Frame, x: float, level: int, scale: float) -> Iterator[tuple[Frame, float, float, int]]:
    """Each frame with its left edge and width in pixels, and its depth: how many callers are below it."""
    yield frame, x, frame.samples * scale, level
    for callee in sorted(frame.callees.values(), key=lambda each: each.name):
        if callee.samples * scale >= _LEAST_WIDTH:
            yield from _boxes(callee, x, level + 1, scale)
        x += callee.samples * scale
