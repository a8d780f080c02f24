"""The documentation: what it links to and names exists."""

import json
import re
import tomllib
import typing
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import typer
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from pydantic import BaseModel

from predictors.cli.app import app
from predictors.cli.flags import SERVE_SETTINGS
from predictors.rollout.engine import decide
from predictors.rollout.engine.state import Phase
from predictors.rollout.judge.checks import AGREEMENT, ASPECTS
from predictors.rollout.metrics.codes import is_client_error, is_success
from predictors.rollout.spec import RolloutSpec, Strategy
from predictors.serving.shadow.metrics import ShadowMetrics
from predictors.serving.telemetry.metrics import Metrics
from predictors.summarizer.engine.metrics import EngineCollector
from predictors.summarizer.fallback.counts import FallbackCollector
from tests.live import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = sorted((ROOT / "docs/benchmarks").glob("*.md"))
# Commands of other programs, with their continuation lines.
OTHER_PROGRAMS = re.compile(
    r"^(?:kind|kubectl|helm|docker|gcloud|aws|cosign|gh|model_signing|\.venv/bin/functions-framework|\$ make eval) (?:.*\\\n)*.*|`(?:kubectl|helm|docker|gcloud) [^`]*`",
    re.MULTILINE,
)
FOLDERS = ("predictors", "tests", "docs", "scripts", "charts", "manifests", "deploy")
PATH = re.compile(
    r"(?:(?:predictors|tests|docs|scripts|charts|manifests|deploy)/[\w./-]*|[\w./-]+\.(?:csv|md|py|sh|svg|toml)|[\w./-]+/)"
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
    metrics.registry.register(FallbackCollector("model", Counter()))
    ShadowMetrics(metrics.registry)
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
    assert len(rows) == 4
    for package, layers in rows:
        lines = [
            re.findall(r"\w+", layer) for layer in enforced[package.strip("/").replace("/", ".")] if layer != "__main__"
        ]
        assert [re.findall(r"`(\w+)`", layer) for layer in layers.split(" · ")] == lines


ROLLOUTS = ROOT / "docs/rollouts.md"


def section(page: Path, heading: str) -> str:
    return text(page).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def model_in(annotation: object) -> type[BaseModel] | None:
    """The model that a field holds, if it holds one or a list of them."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) else None
    return next(filter(None, map(model_in, typing.get_args(annotation))), None)


def spec_fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    """Every field that holds no model, and its default as the page has it; and those with a model that may be absent."""
    defaults = model.model_construct().model_dump(mode="json", by_alias=True, warnings=False)
    for field in model.model_fields.values():
        alias = str(field.alias)
        name = path + alias
        inner = model_in(field.annotation)
        if inner is None:
            default = "required" if field.is_required() else defaults[alias]
            shown = (
                default
                if default == "required"
                else f"`{default if isinstance(default, str) else json.dumps(default)}`"
            )
            yield name, shown if default or default is False else ""
            continue
        if not field.is_required() and field.default is None:
            yield name, ""
        yield from spec_fields(inner, name + ("[]." if "tuple" in str(field.annotation) else "."))


def test_the_table_of_rollouts_fields_is_the_spec() -> None:
    rows = re.findall(
        r"^\| (`[\w.\[\]]+`(?:, `[\w.\[\]]+`)*) \| (.*?) ?\| .+ \|$", section(ROLLOUTS, "Fields"), re.MULTILINE
    )
    listed = {name: default for names, default in rows for name in re.findall(r"`([^`]+)`", names)}
    assert listed == dict(spec_fields(RolloutSpec))


def test_the_default_steps_are_the_specs() -> None:
    steps = Strategy().model_dump(mode="json")["steps"]
    shown = [f"{step['weight']}%" + (f" for {step['hold']}" if step["hold"] != "0s" else "") for step in steps]
    assert f"The default of all steps: {', '.join(shown)} |" in text(ROLLOUTS)


def test_the_bounds_of_checks_are_the_judges() -> None:
    rows = re.findall(r"^\| `([a-z: ]+)` \| .* \| .* \| ([\d.]+) \|$", section(ROLLOUTS, "Checks"), re.MULTILINE)
    bounds = {
        f"{kind}: {aspect.suffix}" if aspect.suffix else kind: aspect.bound
        for kind, aspects in ASPECTS.items()
        for aspect in aspects
    }
    assert {name: float(bound) for name, bound in rows} == bounds | {"agreement": AGREEMENT}


def test_codes_that_are_failures_are_the_meters() -> None:
    said = section(ROLLOUTS, "Checks").partition("**Failures** are")[2].partition("\n\n")[0]
    failures, clients = said.split("Other 4xx")
    failed = ["503", *re.findall(r"`(\w+)`|\b(4\d\d)\b", failures)]
    codes = [each if isinstance(each, str) else each[0] or each[1] for each in failed]
    assert {"429", "499", "CANCELLED", "RESOURCE_EXHAUSTED"} <= {*codes}
    assert not [code for code in codes if is_success(code) or is_client_error(code)]
    named = re.findall(r"`(\w+)`", clients)
    assert len(named) == 7
    assert all(map(is_client_error, named))


def test_the_picture_of_a_rollout_is_the_engines() -> None:
    [picture] = re.findall(r"^```text\n(.*?)```", text(ROLLOUTS), re.DOTALL | re.MULTILINE)
    assert picture in (decide.__doc__ or "")
    assert all(phase in text(ROLLOUTS) for phase in Phase)


def test_sentences_of_rollouts_are_the_programs() -> None:
    """Each is in the source, but for what stands where the page has an ellipsis."""
    source = "".join(text(path) for path in sorted((ROOT / "predictors/rollout").rglob("*.py")))
    source = re.sub(r'" *\n *f?"', "", source)
    refusals = re.findall(r"^- `(.+)`(?: \(\d+\))?$", section(ROLLOUTS, "Routing"), re.MULTILINE)
    symptoms = section(ROLLOUTS, "When something is wrong").split("\n| ")
    quoted = [span for row in symptoms for span in re.findall(r"`([^`]* … [^`]*|[^`]*…)`", row.partition(" | ")[0])]
    assert len(refusals) > 8
    assert len(quoted) > 5
    known = re.sub(r"\{[^{}]*\}", "…", source)
    assert [span for span in (*refusals, *quoted) if not found(span, known)] == []


def found(sentence: str, source: str) -> bool:
    parts = [part for part in re.split(r"[…()]", sentence) if part.strip(" ;%")]
    return bool(parts) and all(part.strip(" %") in source for part in parts)
