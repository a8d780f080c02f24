"""The summarizer beside llama-cpp-python's server and llama.cpp's own: ``make bench-summarizer``.

All of them serve one GGUF file with the same number of threads, 8 slots and a context of 8,192 tokens, and answer the
same streamed chat completions over HTTP with greedy decoding. It measures:

  throughput      tokens/s with 1, 4 and 8 concurrent requests, and the gaps between a request's tokens
  first token     after a system message of 500 tokens, one that the server has seen before and one that it has not
  decoding        of one request: bytes of weights read a second, as a share of the memory's measured bandwidth
  this server     latency of /v2/health/live while 8 requests run, and the share of a step that is spent in Python

The first run compiles llama.cpp's server and installs both (10 to 20 minutes, into a cache outside the checkout). The
tables are printed; a run of all servers also writes summarizer.json, summarizer.md and summarizer.svg to --out.

  python -m tests.benchmarks.summarizer                                   a full run, up to 12 minutes
  python -m tests.benchmarks.summarizer --rounds 1                        a first look
  python -m tests.benchmarks.summarizer --servers ours,llama-server       two servers, printed only
  python -m tests.benchmarks.summarizer --servers ours --gpu_layers -1    on a GPU
"""

import argparse
import contextlib
import dataclasses
import json
import platform
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
from rich.console import Console

from predictors.summarizer.engine.cpu import usable_cpus
from predictors.summarizer.llama.library import load_library
from tests.benchmarks.chat import report
from tests.benchmarks.chat.probes import read_bandwidth
from tests.benchmarks.chat.prompts import Tokenizer
from tests.benchmarks.chat.rounds import NEW_TOKENS, Rounds
from tests.benchmarks.chat.servers import Server, llama_cpp_python, llama_server, ours, running
from tests.benchmarks.chat.summary import Memory, Summary, summarize
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.output import fail, progress
from tests.benchmarks.peers import llama_venv
from tests.live import ARTIFACTS, ROOT

SERVERS = ("ours", "llama-cpp-python", "llama-server")
PLOT = Path(__file__).parent / "chat/plot.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="most rounds of measurements (default: 3)")
    parser.add_argument("--minutes", type=float, default=10, help="start no round that would end later (default: 10)")
    parser.add_argument(
        "--waves", type=int, default=1, help="consecutive requests on each connection of a load (default: 1)"
    )
    parser.add_argument(
        "--servers", default=",".join(SERVERS), help="which, separated by commas (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=int, default=usable_cpus(), help="of each server (default: as many as the CPU quota allows)"
    )
    parser.add_argument(
        "--gpu_layers",
        type=int,
        default=0,
        help="layers that a GPU computes, of this server alone; -1: all (default: 0)",
    )
    parser.add_argument(
        "--gguf",
        type=Path,
        default=next((ARTIFACTS / "summarizer").glob("*.gguf"), None),
        help="model file (default: the artifact's)",
    )
    parser.add_argument(
        "--out", type=Path, help="where files are written (default: docs/benchmarks, if all servers are measured)"
    )
    options = parser.parse_args()
    options.servers = options.servers.split(",")
    if unknown := set(options.servers) - set(SERVERS):
        parser.error(f"unknown servers: {', '.join(sorted(unknown))}; there are {', '.join(SERVERS)}")
    if options.gguf is None:
        parser.error("there is no model file: run `make artifacts`, or name one with --gguf")
    if options.out is None and set(options.servers) == set(SERVERS):
        options.out = ROOT / "docs/benchmarks"
    # SIGTERM ends a run as ctrl-C does, so that the servers that were started are ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(width=150)
    try:
        summary = measure(options, progress())
        report.show(summary, console)
        if options.out:
            write(summary, options.out)
            console.print(f"written to {options.out}")
    except (BenchError, subprocess.CalledProcessError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted")


def measure(options: argparse.Namespace, say: Callable[[str], None]) -> Summary:
    """Start the servers, measure them, end them, and summarize."""
    servers = [found for name in options.servers for found in [server(name, options, say)]]
    say(f"reading memory with {options.threads} threads")
    bandwidth = read_bandwidth(options.threads)
    tokenizer = Tokenizer(options.gguf)
    with contextlib.ExitStack() as stack:
        lives = []
        for one in servers:
            say(f"starting {one.name} {one.version}")
            lives.append(stack.enter_context(running(one)))
        rounds = Rounds(lives, tokenizer, options.waves, say)
        rounds.warm_up()
        count = rounds.run(options.rounds, options.minutes * 60)
    # Measured twice, and the better figure counts: another virtual machine may have been busy the first time.
    bandwidth = max(bandwidth, read_bandwidth(options.threads))
    settings = {
        "model": options.gguf.name,
        "weight_bytes": tokenizer.weight_bytes,
        "threads": options.threads,
        "gpu_layers": options.gpu_layers,
        "rounds": count,
        "waves": options.waves,
        "new_tokens": NEW_TOKENS,
    }
    memory = Memory(bandwidth, tokenizer.weight_bytes)
    return summarize(servers, rounds.results, machine(), settings, memory)


def server(name: str, options: argparse.Namespace, say: Callable[[str], None]) -> Server:
    """A server by its name in ``--servers``; the peers are installed first if they are not yet."""
    if name == "ours":
        return ours(options.gguf, options.threads, options.gpu_layers)
    make = llama_cpp_python if name == "llama-cpp-python" else llama_server
    return make(options.gguf, options.threads, llama_venv.prepare(say))


def machine() -> dict[str, str]:
    """The machine that this runs on, without names of host or user."""
    info = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.+)", info.read_text()) if info.exists() else None
    extensions = re.findall(r"(\w+) = 1", load_library().api.llama_print_system_info().decode())
    return {
        "processor": model[1] if model else platform.processor() or platform.machine(),
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "compiled with": ", ".join(extensions),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "llama-cpp-python": load_library().api.__version__,
    }


def write(summary: Summary, directory: Path) -> None:
    """Write the results as JSON, as a page and as a plot."""
    directory.mkdir(parents=True, exist_ok=True)
    source, plot = directory / "summarizer.json", directory / "summarizer.svg"
    source.write_text(json.dumps(dataclasses.asdict(summary), indent=2) + "\n")
    (directory / "summarizer.md").write_text(report.markdown(summary, plot.name))
    python = llama_venv.prepare(lambda line: None)
    subprocess.run([python, PLOT, source, plot], check=True)


if __name__ == "__main__":
    main()
