"""The command line: thin. Each command's work is in a module of its own, imported only when it runs."""

import enum
import importlib
import inspect
import json
import logging
import re
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from predictors import __version__
from predictors.cli import artifact as artifact_commands
from predictors.cli import flags
from predictors.cli import gguf as gguf_commands
from predictors.cli.console import errors, fail
from predictors.intent.settings import IntentSettings
from predictors.serving.settings import ArtifactSettings, ServerSettings, Settings, Source
from predictors.summarizer.settings import SummarizerSettings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Iris, intent and GGUF summarizer predictors for KServe.",
    add_completion=False,
)
app.add_typer(artifact_commands.app, name="artifact")
app.add_typer(gguf_commands.app, name="gguf")


class Kind(enum.StrEnum):
    """The predictors."""

    IRIS = "iris"
    INTENT = "intent"
    SUMMARIZER = "summarizer"


class SummaryMode(enum.StrEnum):
    """How much of a document the model reads."""

    AUTO = "auto"
    FAST = "fast"
    FULL = "full"


OWN_SETTINGS: dict[Kind, type[Settings]] = {Kind.INTENT: IntentSettings, Kind.SUMMARIZER: SummarizerSettings}
SERVE_SETTINGS: tuple[type[Settings], ...] = (ServerSettings, ArtifactSettings, *OWN_SETTINGS.values())


class Trainable(enum.StrEnum):
    """The predictors that are trained here."""

    IRIS = "iris"
    INTENT = "intent"


def _serve(models: list[Kind] | None, **given: str | None) -> None:
    """Serve one or more predictors from one process.

    [bold]All three[/bold], from ./artifacts:
      predictors serve
    [bold]One model[/bold], as a container runs it:
      predictors serve iris --model_dir /mnt/models --model_name my-iris --http_port 8080 --grpc_port 8081

    Every flag has an environment variable of the same name: --http_port is PREDICTORS_HTTP_PORT.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)  # until the server has its own, so that a container that starts can be stopped
    kinds = list(dict.fromkeys(models or Kind))
    settings = flags.build(ServerSettings, given)
    sources = flags.build(ArtifactSettings, given)
    if len(kinds) > 1 and (sources.model_dir or sources.model_name or sources.artifact_digest):
        raise typer.BadParameter("--model_dir, --model_name and --artifact_digest need exactly one model to be named")
    for kind, own in OWN_SETTINGS.items():
        strange = [name for name in own.model_fields if given.get(name) is not None and kind not in kinds]
        if strange:
            raise typer.BadParameter(f"--{strange[0]} is for {kind}, which is not served")
    if given.get("gguf") is not None and sources.model_dir:
        raise typer.BadParameter("--gguf and --model_dir exclude each other")

    from predictors.serving.server import Server, StartupError, use_json
    from predictors.serving.telemetry.call import configure_logging

    log_json = use_json(settings.log_format)
    configure_logging(settings.log_level, log_json)
    predictors = [_predictor(kind, sources, given) for kind in kinds]
    on_ready = None
    if not log_json:
        from predictors.cli import banner

        on_ready = partial(banner.show, settings.host)
    try:
        Server(predictors, settings, log_json, on_ready).run()
    except StartupError as error:
        logging.getLogger(__name__).error("%s", error)
        raise typer.Exit(1) from None


def _exit(number: int, frame: object) -> None:
    raise SystemExit(0)


def _predictor(kind: Kind, sources: ArtifactSettings, given: dict[str, str | None]) -> Any:
    source = Source(sources.model_dir or sources.artifacts_dir / kind, sources.artifact_digest, sources.trust_artifact)
    name = sources.model_name or str(kind)
    module = importlib.import_module(f"predictors.{kind}.model")
    if kind is Kind.IRIS:
        return module.IrisPredictor(name, source)
    if kind is Kind.INTENT:
        return module.IntentPredictor(name, source, flags.build(IntentSettings, given))
    return module.SummarizerPredictor(name, source, flags.build(SummarizerSettings, given))


_serve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [
        inspect.Parameter(
            "models",
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=None,
            annotation=Annotated[
                list[Kind] | None, typer.Argument(help="Which predictors; all of them if none is named.")
            ],
        ),
        *flags.parameters(SERVE_SETTINGS),
    ]
)
app.command("serve")(_serve)


@app.command()
def train(
    model: Annotated[Trainable, typer.Argument(help="What to train.")],
    out: Annotated[Path | None, typer.Option(help="Artifact directory to write; artifacts/<model> by default.")] = None,
    version: Annotated[str, typer.Option(help="Version to give it.")] = "1",
) -> None:
    """Train a scikit-learn model and write its artifact, with evaluation figures in the manifest."""
    try:
        module = importlib.import_module(f"predictors.{model}.train")
    except ImportError as error:
        fail(f"training needs {error.name}; install kserve-predictors[train]")
    _check_version(version)
    try:
        with errors.status(f"training {model}…"):
            trained = module.train(out or Path("artifacts") / model, version)
    except OSError as error:
        fail(f"{error.filename} cannot be written: {error.strerror}")
    artifact_commands.show_manifest(trained.directory, trained.manifest, trained.digest)


@app.command()
def fetch(
    out: Annotated[Path, typer.Option(help="Artifact directory to write.")] = Path("artifacts/summarizer"),
    version: Annotated[str, typer.Option(help="Version to give it.")] = "1",
) -> None:
    """Get the summarizer's default model (SmolLM2-135M-Instruct, 145 MB as Q8_0) and write its artifact."""
    from predictors.serving.errors import ArtifactError
    from predictors.summarizer.fetch import FetchError
    from predictors.summarizer.fetch import fetch as fetch_model
    from predictors.summarizer.llama.quantize import QuantizeError

    _check_version(version)
    try:
        fetched = fetch_model(out, version)
    except OSError as error:
        fail(f"{error.filename} cannot be written: {error.strerror}")
    except (FetchError, QuantizeError, ArtifactError) as error:
        fail(str(error))
    except ImportError:
        fail("this needs llama-cpp-python; install kserve-predictors[summarizer]")
    artifact_commands.show_manifest(fetched.directory, fetched.manifest, fetched.digest)


@app.command()
def call(
    model: Annotated[str, typer.Argument(help="Name of a served model.")],
    inputs: Annotated[
        list[str], typer.Argument(help="Numbers (iris); texts, files, or - for standard input (others).")
    ],
    url: Annotated[str, typer.Option(help="The server.", envvar="PREDICTORS_URL")] = "http://localhost:8080",
    parameters: Annotated[str, typer.Option(help="Request parameters, a JSON object.")] = "{}",
    as_json: Annotated[bool, typer.Option("--json", help="Print the server's answer as it came.")] = False,
    timeout_seconds: Annotated[
        float, typer.Option("--timeout_seconds", min=0.001, help="Longest time to wait.")
    ] = 300.0,
) -> None:
    """Call a served model.

    predictors call iris 5.1 3.5 1.4 0.2
    predictors call intent "where is my parcel"
    predictors call summarizer terms.txt --parameters '{"max_tokens": 100}'
    """
    from predictors.cli import call as client

    try:
        given = orjson.loads(parameters)  # refuses NaN, as the server does
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise typer.BadParameter("--parameters must be a JSON object")
    try:
        with errors.status(f"waiting for {model}…"):
            instances, answer = client.call(url, model, inputs, given, timeout_seconds)
    except client.CallError as error:
        fail(str(error))
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
    else:
        client.show(Console(), instances, answer)


@app.command()
def summarize(
    document: Annotated[str, typer.Argument(help="A file, a URL (text or HTML), or - for standard input.")],
    url: Annotated[str, typer.Option(help="The server.", envvar="PREDICTORS_URL")] = "http://localhost:8080",
    model: Annotated[str, typer.Option(help="Name that the summarizer is served under.")] = "summarizer",
    mode: Annotated[
        SummaryMode, typer.Option(help="full reads everything, fast what matters most, auto what time allows.")
    ] = SummaryMode.AUTO,
    max_tokens: Annotated[
        int | None, typer.Option("--max_tokens", min=1, help="Most tokens of the summary; the server's default else.")
    ] = None,
    sources: Annotated[bool, typer.Option(help="Print under each point the words that it comes from.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the server's answer as it came.")] = False,
    timeout_seconds: Annotated[
        float, typer.Option("--timeout_seconds", min=0.001, help="Longest time without a sign of progress.")
    ] = 300.0,
) -> None:
    """Summarize a document, with the source of each point.

    predictors summarize terms.txt
    predictors summarize https://example.com/terms --mode fast
    pdftotext contract.pdf - | predictors summarize - --no-sources
    """
    from predictors.cli import call as client
    from predictors.cli import summarize as summarize_client

    parameters: dict[str, Any] = {"mode": str(mode)}
    if max_tokens is not None:
        parameters["max_tokens"] = max_tokens
    try:
        text = summarize_client.read_document(document, timeout_seconds)
        answer = summarize_client.summarize(url, model, text, parameters, timeout_seconds, errors)
    except client.CallError as error:
        fail(str(error))
    if as_json:
        sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
    else:
        summarize_client.show(Console(highlight=False), text, answer, sources)


def _check_version(version: str) -> None:
    from predictors.serving.artifacts.artifact import VERSION_PATTERN

    if not re.fullmatch(VERSION_PATTERN, version):
        raise typer.BadParameter("--version takes 1 to 64 letters, digits, dots, dashes and underscores")


@app.command()
def version() -> None:
    """Print the version."""
    sys.stdout.write(__version__ + "\n")


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["serve"]:
        arguments = flags.normalize(arguments, SERVE_SETTINGS)
    app(arguments, prog_name="predictors")
