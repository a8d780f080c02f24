"""`predictors gguf`: describe GGUF files, and quantize them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from predictors.cli.console import errors, fail, plain_errors, print_json
from predictors.serving.errors import ArtifactError
from predictors.summarizer.llama.quantize import TYPES, QuantizeError, quantize

if TYPE_CHECKING:
    from predictors.summarizer.llama.gguf import Inspection

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="Describe a GGUF model, or quantize its weights.")

_GIB = 2**30
_MIB = 2**20
_SLOTS = (1, 2, 4, 8)
_HEADINGS = {"kv": "KV cache", "gpu": "on the GPU"}
_SIZE = re.compile(r"(\d+)([KMG]?)(i?)")
_POWERS = ("", "K", "M", "G")


def _bytes(text: str) -> int:
    """A size as Kubernetes writes it."""
    size = _SIZE.fullmatch(text.strip())
    if not size or (size[3] and not size[2]) or not int(size[1]):
        raise typer.BadParameter(f"{text} is not a size such as 2Gi, 512Mi, 2G or 2000000000")
    factor: int = (1024 if size[3] else 1000) ** _POWERS.index(size[2])
    return int(size[1]) * factor


@app.command("inspect")
def inspect_file(
    file: Annotated[Path, typer.Argument(help="GGUF file.")],
    slots: Annotated[
        int | None, typer.Option(min=1, max=64, help="Concurrent answers; a row each for 1, 2, 4 and 8 if omitted.")
    ] = None,
    context_tokens: Annotated[
        int | None,
        typer.Option(
            "--context_tokens",
            min=256,
            help="Prompt and answer of each slot, tokens, at most what the model was trained for; the default of "
            "predictors serve if omitted.",
        ),
    ] = None,
    gpu_layers: Annotated[
        int, typer.Option("--gpu_layers", min=-1, help="Layers on a GPU, as of predictors serve; -1: all.")
    ] = 0,
    memory_limit: Annotated[
        int | None,
        typer.Option(
            "--memory_limit",
            parser=_bytes,
            metavar="SIZE",
            help="Memory that there will be, such as a container's limit: 2Gi, 512Mi, 2G or bytes; what there is here "
            "if omitted.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; sizes are in bytes.")] = False,
) -> None:
    """Show what a model is, and how much memory it takes to serve, without loading its weights.

    [bold]Will it fit?[/bold] The last column is the largest context that this machine (or its cgroup) has memory for:
      predictors gguf inspect model.gguf
    [bold]Will it fit a container?[/bold]
      predictors gguf inspect model.gguf --memory_limit 2Gi
    [bold]Eight concurrent answers[/bold] of 4,096 tokens each:
      predictors gguf inspect model.gguf --slots 8 --context_tokens 4096

    [bold]On a GPU:[/bold] what stays in main memory, and what the GPU has to hold:
      predictors gguf inspect model.gguf --gpu_layers -1

    The figures hold for `predictors serve` with the same --slots and --context_tokens. The KV cache has room for a
    whole context in each slot, and for each prompt prefix that is kept for reuse.
    """
    with plain_errors(ArtifactError), _reading():
        from predictors.summarizer.llama.gguf import inspect

        inspection = inspect(file)
        report = _memory_report(inspection, (slots,) if slots else _SLOTS, context_tokens, gpu_layers, memory_limit)
    if as_json:
        described = {"name": inspection.name, "license": inspection.license, **asdict(inspection.shape)}
        described |= {
            "has_chat_template": inspection.has_chat_template,
            "kv_bytes_per_token": inspection.shape.cell_bytes,
        }
        print_json(described | report)
        return
    output = Console(soft_wrap=True, highlight=False)
    for title, text in _description(inspection):
        output.print(f"[dim]{title:<14}[/dim]", end="")
        output.print(text, markup=False)
    output.print()
    output.print(_memory_table(report))
    output.print(_verdict(report))


@app.command("quantize")
def quantize_file(
    source: Annotated[Path, typer.Argument(metavar="IN", help="GGUF file to read, preferably in F16 or BF16.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="GGUF file to write.")],
    type_name: Annotated[
        str, typer.Option("--type", help=f"Type of most weights, from smallest to largest: {', '.join(TYPES)}.")
    ] = "Q4_K_M",
    threads: Annotated[int, typer.Option(min=0, help="Compute threads; 0: as many as the CPU quota allows.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists.")] = False,
) -> None:
    """Quantize a model: write it again with its weights in a smaller (or larger) type.

    [bold]Small[/bold], for less memory and faster answers:
      predictors gguf quantize model-f16.gguf model-q4.gguf --type Q4_K_M
    [bold]Nearly lossless[/bold]:
      predictors gguf quantize model-f16.gguf model-q8.gguf --type Q8_0

    OUT appears only once it is complete. Ctrl-C stops and leaves nothing behind.
    """
    from predictors.summarizer.engine.cpu import usable_cpus
    from predictors.summarizer.llama.library import load_library

    with plain_errors(ArtifactError, QuantizeError), _reading():
        load_library()  # if it is missing, say so here; the process that quantizes could only print a traceback
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
            task = progress.add_task(f"quantizing to {type_name}", total=1.0)
            done = quantize(
                source,
                target,
                type_name,
                threads or usable_cpus(),
                lambda part: progress.update(task, completed=part),
                force=force,
            )
    output = Console(soft_wrap=True, highlight=False)
    ratio = done.target_bytes / done.source_bytes
    output.print(f"{source}  {_mib(done.source_bytes)}", markup=False)
    output.print(f"{target}  {_mib(done.target_bytes)}, {ratio:.0%} of it, in {done.seconds:.1f} s", markup=False)
    if done.fallback_tensors:
        output.print(
            f"{done.fallback_tensors} tensors were given a larger type: their row length is not a multiple of the "
            f"block size of {type_name}.",
            style="dim",
        )


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")


def _memory_report(
    inspection: "Inspection", slots: tuple[int, ...], context_tokens: int | None, gpu_layers: int, limit: int | None
) -> dict[str, Any]:
    from predictors.summarizer.llama.memory import (
        fitting_tokens,
        gpu_bytes,
        memory_limit,
        memory_plan,
    )
    from predictors.summarizer.runtime import KEPT_SEQUENCES, batch_tokens
    from predictors.summarizer.settings import SummarizerSettings

    default: int = SummarizerSettings.model_fields["context_tokens"].default
    context = min(context_tokens or default, inspection.shape.trained_context)
    limit = limit or memory_limit()
    batch = batch_tokens(gpu_layers)
    rows = []
    for count in slots:
        sequences = count + KEPT_SEQUENCES
        whole = memory_plan(inspection.shape, context, sequences, batch)
        plan = memory_plan(inspection.shape, context, sequences, batch, gpu_layers)
        fits = fitting_tokens(inspection.shape, limit, sequences, batch, gpu_layers)
        rows.append(
            {
                "slots": count,
                "sequences": sequences,
                "context_tokens": context,
                **asdict(plan),
                "total_bytes": plan.total_bytes,
                "gpu_bytes": gpu_bytes(whole, plan),
                "largest_context_tokens": min(fits, inspection.shape.trained_context),
            }
        )
    return {"memory_limit_bytes": limit, "memory": rows}


def _description(inspection: "Inspection") -> Iterator[tuple[str, str]]:
    shape = inspection.shape
    yield "name", f"{inspection.name or 'unknown'}, licence {inspection.license or 'unknown'}"
    yield "architecture", shape.architecture
    yield "parameters", f"{shape.parameters:,}"
    bits = 8 * shape.model_bytes / max(1, shape.parameters)
    yield "quantization", f"{shape.quantization}, {bits:.1f} bits per parameter"
    yield "size", _mib(shape.model_bytes)
    window = f"; some layers attend to a window of {shape.sliding_window:,}" if shape.sliding_window else ""
    yield "context", f"trained for {shape.trained_context:,} tokens{window}"
    yield "layers", f"{shape.layers}, each with {shape.heads} attention heads over {shape.kv_heads} KV heads"
    yield "vocabulary", f"{shape.vocabulary:,} tokens"
    if shape.cell_bytes:
        yield "KV cache", f"{shape.cell_bytes:,} bytes per token: {_GIB // shape.cell_bytes:,} tokens in a GiB"
    yield "chat template", "yes" if inspection.has_chat_template else "no, so it cannot be served"


def _memory_table(report: dict[str, Any]) -> Table:
    limit = report["memory_limit_bytes"]
    parts: tuple[str, ...] = ("model", "kv", "compute", "process", "total")
    if any(row["gpu_bytes"] for row in report["memory"]):
        parts += ("gpu",)
    table = Table(
        *("slots", "context per slot", *(_HEADINGS.get(part, part) for part in parts), "largest context"),
        caption=f"MiB; the limit is {limit // _MIB:,}",
    )
    for column in table.columns:
        column.justify = "right"
    for row in report["memory"]:
        sizes = [row[f"{part}_bytes"] for part in parts]
        table.add_row(
            str(row["slots"]),
            f"{row['context_tokens']:,}",
            *(f"{size / _MIB:,.0f}" for size in sizes),
            f"{row['largest_context_tokens']:,}" if row["largest_context_tokens"] else "none fits",
            style="red" if row["total_bytes"] > limit else "",
        )
    return table


def _verdict(report: dict[str, Any]) -> str:
    limit = report["memory_limit_bytes"]
    fitting = [row["slots"] for row in report["memory"] if row["total_bytes"] <= limit]
    tokens = report["memory"][0]["context_tokens"]
    if not fitting:
        return f"With contexts of {tokens:,} tokens, it does not fit into {limit // _MIB:,} MiB."
    return f"With contexts of {tokens:,} tokens, --slots {fitting[-1]} fits into {limit // _MIB:,} MiB."


def _mib(size: int) -> str:
    return f"{size / _MIB:,.1f} MiB"
