"""Rollouts as pictures and as lines."""

from typing import Any

from rich.console import Console, RenderableType

from predictors.cli.rollout.lines import Lines
from predictors.cli.rollout.view import Picture, overview
from predictors.rollout.spec import Strategy

NOW = 1_800_000_000.0
STRATEGY = Strategy.model_validate(
    {"steps": [{"weight": 5, "hold": "1m"}, {"weight": 25, "hold": "2m"}, {"weight": 100}], "pauseBefore": [100]}
)


def status(**changes: Any) -> dict[str, Any]:
    return {
        "phase": "Progressing",
        "message": "25% of the traffic on the canary: [bold]errors[/bold]",
        "routing": "pair",
        "weight": {"asked": 25, "seen": 5},
        "stable": {"revision": "11111111", "version": "1", "storageUri": "s3://1", "pods": {"ready": 2, "wanted": 3}},
        "canary": {"revision": "22222222", "version": "2", "storageUri": "s3://2", "pods": {"ready": 1, "wanted": 1}},
        "step": {"number": 2, "of": 3, "weight": 25, "holdUntil": "2027-01-15T08:01:30Z"},
        "verdict": "NotYet",
        "checks": [
            {"name": "errors", "verdict": "Fail", "stable": 0.01, "canary": 0.2, "bound": 0.01, "low": 0.1,
             "confidence": 0.95, "samples": 120, "message": "too many"},
        ],
        "faults": ["pod a did not answer"],
        **changes,
    }  # fmt: skip


def drawn(thing: RenderableType) -> str:
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(thing)
    return capture.get()


def picture(found: dict[str, Any], events: tuple[dict[str, Any], ...] = ()) -> str:
    return drawn(Picture("models", "iris", found, STRATEGY, NOW, events))


def test_a_picture_says_all_without_colours() -> None:
    text = picture(status())
    assert "iris  Progressing  (namespace models, pair routing)" in text
    assert "✓ 5%   ▶ 25% (1m30s of its hold left)   · (a person) 100%" in text
    assert "25% asked, 5% seen" in text
    assert "11111111  version 1  2/3 pods ready  s3://1" in text
    assert "22222222  version 2  1/1 pods ready  s3://2" in text
    [check] = [line for line in text.splitlines() if line.startswith("errors")]
    assert check.split() == ["errors", "✗", "Fail", "0.01", "0.2", "0.1", "…", "-", "0.01", "95%", "120", "too", "many"]
    assert "not measured: pod a did not answer" in text


def test_what_the_cluster_says_is_no_markup() -> None:
    assert "canary: [bold]errors[/bold]" in picture(status())


def test_a_hold_that_is_over() -> None:
    assert "25% (held)" in picture(status(step={"number": 2, "of": 3, "holdUntil": "2027-01-15T07:59:00Z"}))


def test_routes_that_differ() -> None:
    assert "not all routes agree" in picture(status(weight={"asked": 25, "seen": None}))


def test_events_and_warnings_among_them() -> None:
    events = (
        {"type": "Normal", "reason": "SetWeight", "message": "25%", "lastTimestamp": "2027-01-15T07:00:01Z"},
        {"type": "Warning", "reason": "RollingBack", "message": "errors", "lastTimestamp": "2027-01-15T07:00:02Z"},
    )
    calm, warning = picture(status(), events).splitlines()[-2:]
    assert calm.split() == ["07:00:01", "SetWeight", "25%"]
    assert warning.split() == ["07:00:02", "!", "RollingBack", "errors"]


def test_one_that_no_controller_has_seen() -> None:
    assert "not seen by a controller yet" in picture({})


def test_an_overview() -> None:
    things = [
        {"metadata": {"namespace": "models", "name": "iris"}, "status": status()},
        {"metadata": {"namespace": "models", "name": "new"}},
    ]
    _, iris, new = drawn(overview(things)).splitlines()
    assert iris.split()[:3] == ["models", "iris", "Progressing"]
    assert "2/3" in iris
    assert new.split() == ["models", "new", *["-"] * 6]


class Page:
    """Lines that were written, and a clock."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.now = NOW
        self.lines = Lines(self.text.append, lambda: self.now)


def test_a_line_for_each_thing_that_is_new() -> None:
    page = Page()
    for found in (status(), status(), status(weight={"asked": 25, "seen": 25}), status(phase="Paused")):
        page.lines.show(found)
    assert [line.split()[:4] for line in page.text] == [
        ["08:00:00", "Progressing", "25%", "(seen"],
        ["08:00:00", "Progressing", "25%", "25%"],
        ["08:00:00", "Paused", "25%", "(seen"],
    ]


def test_numbers_alone_are_told_seldom() -> None:
    page = Page()
    for seconds in range(0, 40, 2):
        page.now = NOW + seconds
        page.lines.show(status(message=f"0 of {seconds} requests failed"))
    assert [line.split()[-3] for line in page.text] == ["0", "16", "32"]


def test_nothing_is_told_of_what_has_no_phase() -> None:
    page = Page()
    page.lines.show({})
    assert page.text == []
