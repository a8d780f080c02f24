"""Compares ways to score the iris forest and the intent classifier: ``make bench-backends``.

The trained models are converted for ONNX Runtime, treelite and tl2cgen; these, scikit-learn and this project's plain
arrays are compared and timed. Needs Linux, and gcc or clang for the compiled forest.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from predictors.intent.utterances import utterances
from predictors.iris.forest import Forest
from tests.benchmarks.backends import footprint, inputs, report, venv
from tests.benchmarks.backends.conclusion import conclusion
from tests.benchmarks.backends.contenders import CONTENDERS
from tests.benchmarks.backends.report import Results
from tests.benchmarks.backends.rounds import Schedule, measure
from tests.live import ARTIFACTS, ROOT

LIBRARIES = ("numpy", "scikit-learn", "onnxruntime", "skl2onnx", "treelite", "tl2cgen")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each batch size is timed (default: 5)")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of each measurement (default: 0.2)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the results to this Markdown file")
    options = parser.parse_args()
    console = Console(width=150)
    results = run(options.rounds, options.seconds, Console(stderr=True))
    report.show(results, console)
    console.print(report.method(results), highlight=False)
    if options.write:
        options.write.write_text(page(results))
        console.print(f"written to {options.write}", highlight=False)


def run(rounds: int, seconds: float, progress: Console) -> Results:
    """Convert the models, compare the contenders, and measure time and size."""
    environment = venv.prepare()
    python = environment / "bin/python"
    theirs, ours = footprint.Environment(venv.packages(environment)), footprint.Environment()
    libraries = {each: each.needs for each in CONTENDERS if each.needs is not None}
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        forest = Forest.from_bytes((ARTIFACTS / "iris/model.npz").read_bytes())
        inputs.write(directory, forest, utterances()[0])
        attempts = convert(python, directory)
        return Results(
            measured=measure(CONTENDERS, python, directory, Schedule(rounds, seconds), progress),
            file_bytes={each: (directory / needs.file).stat().st_size for each, needs in libraries.items()},
            packages={each: footprint.packages(needs, theirs, ours) for each, needs in libraries.items()},
            import_seconds=footprint.import_seconds(CONTENDERS, python),
            attempts=attempts,
            machine=machine() | {name: theirs.version(name) for name in LIBRARIES},
            rounds=rounds,
            seconds=seconds,
        )


def convert(python: Path, directory: Path) -> list[tuple[str, str]]:
    """Convert the trained models in the contenders' environment; returns the outcomes of converting intent to ONNX."""
    command = [str(python), "-m", "tests.benchmarks.backends.conversion", str(ARTIFACTS), str(directory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    return [(part, outcome) for part, outcome in json.loads(done.stdout.splitlines()[-1])]


def machine() -> dict[str, str]:
    """The machine that this runs on, without names of host or user."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


def page(results: Results) -> str:
    """The results as a page of Markdown."""
    parts = ["# Ways to score, side by side: `make bench-backends`", report.method(results), conclusion(results)]
    parts += report.tables(results)
    parts += ["## Machine and versions", "\n".join(f"- {name}: {value}" for name, value in results.machine.items())]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
