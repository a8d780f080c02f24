"""GPUs for the tests, as a library tells of them that has the interface of NVIDIA's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EXPORT = """
from prometheus_client import CollectorRegistry, start_http_server
from predictors.summarizer.llama.gpus import GpuCollector
registry = CollectorRegistry()
registry.register(GpuCollector())
web, thread = start_http_server(0, "127.0.0.1", registry)
print(web.server_port, flush=True)
thread.join()
"""


def gpu_environment(folder: Path) -> dict[str, str]:
    """Compile the library; gives the environment in which programs find it and the two GPUs that it knows."""
    source = Path(__file__).with_name("nvml.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "libnvidia-ml.so.1", source], check=True)
    return {**os.environ, "LD_LIBRARY_PATH": str(folder)}


@contextmanager
def gpu_exporter(folder: Path) -> Iterator[str]:
    """The address of a process that exports the GPUs' metrics."""
    command = [sys.executable, "-c", _EXPORT]
    with subprocess.Popen(command, env=gpu_environment(folder), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()
