"""The documentation: what it links to and names exists."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import typer
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from predictors.cli.app import app
from predictors.cli.flags import SERVE_SETTINGS
from predictors.serving.telemetry.metrics import Metrics
from predictors.summarizer.engine.metrics import EngineCollector
from tests.live import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = sorted((ROOT / "docs/benchmarks").glob("*.md"))
# Commands of other programs, with their continuation lines.
OTHER_PROGRAMS = re.compile(
    r"^(?:kind|kubectl|helm|docker|aws) (?:.*\\\n)*.*|`(?:kubectl|helm|docker) [^`]*`", re.MULTILINE
)
FOLDERS = ("predictors", "tests", "docs", "scripts", "charts", "manifests")
PATH = re.compile(
    r"(?:(?:predictors|tests|docs|scripts|charts|manifests)/[\w./-]*|[\w./-]+\.(?:csv|md|py|sh|svg|toml)|[\w./-]+/)"
)


def text(page: Path) -> str:
    return page.read_text("utf-8")


def code(page: Path) -> list[str]:
    """What stands in backticks, except in blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text(page), flags=re.DOTALL | re.MULTILINE))


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *GENERATED], ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.is_file(), target
        assert not anchor or anchor in anchors(linked), target


@pytest.fixture(scope="module")
def paths() -> str:
    """All paths in the repository, each between slashes, on a line of its own."""
    found: Iterable[Path] = (path for folder in FOLDERS for path in [ROOT / folder, *(ROOT / folder).rglob("*")])
    return "".join(f"/{path.relative_to(ROOT).as_posix()}/\n" for path in [*found, *ROOT.glob("*.*")])


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_paths_exist(page: Path, paths: str) -> None:
    """A path may begin in any folder, as a section's text makes clear."""
    named = [span.rstrip("/") for span in code(page) if PATH.fullmatch(span) and not span.startswith("/")]
    assert [path for path in named if f"/{path}/\n" not in paths] == []


def flags() -> Iterator[str]:
    for settings in SERVE_SETTINGS:
        yield from (f"--{field}" for field in settings.model_fields)
    commands = [typer.main.get_command(app)]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        for parameter in command.params:
            yield from (*parameter.opts, *parameter.secondary_opts)


def test_flags_exist() -> None:
    pages = [page for page in PAGES if page.name != "benchmarks.md"]  # which has flags of benchmarks
    ours = [OTHER_PROGRAMS.sub("", text(page)) for page in pages]
    named = {flag for each in ours for flag in re.findall(r"(?<![\w-])--[a-z][\w-]+", each)}
    assert named - {*flags(), "--help"} == set()


def test_make_targets_exist() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", text(ROOT / "Makefile"), re.MULTILINE)
    named = {target for page in PAGES for target in re.findall(r"(?:`|^)make ([a-z-]+)", text(page), re.MULTILINE)}
    assert named - {*targets} == set()


def exported() -> Iterable[Metric]:
    metrics = Metrics(CollectorRegistry())
    metrics.registry.register(EngineCollector("model", lambda: None))
    return metrics.registry.collect()


def test_the_table_of_metrics_is_what_is_exported() -> None:
    cells = re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \| ", text(ROOT / "docs/operations.md").partition("## Metrics")[2], re.MULTILINE
    )
    listed = [metric for cell in cells for metric in re.findall(r"\w+", cell)]
    assert sorted(listed) == sorted(each.name + "_total" * (each.type == "counter") for each in exported())


def test_the_table_of_layers_is_what_is_enforced() -> None:
    contracts = tomllib.loads(text(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    enforced = {contract["containers"][0]: contract["layers"] for contract in contracts if contract["type"] == "layers"}
    rows = re.findall(r"^\| `(predictors/[^`]*)` \| (.*) \|$", text(ROOT / "docs/architecture.md"), re.MULTILINE)
    assert len(rows) == 3
    for package, layers in rows:
        lines = [
            re.findall(r"\w+", layer) for layer in enforced[package.strip("/").replace("/", ".")] if layer != "__main__"
        ]
        assert [re.findall(r"`(\w+)`", layer) for layer in layers.split(" · ")] == lines
