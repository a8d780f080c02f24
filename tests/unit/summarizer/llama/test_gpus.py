"""GPUs, as a library tells of them that has NVML's interface; no GPU is needed, but a C compiler."""

import shutil
import subprocess
import sys

import pytest

from tests.gpus import gpu_environment

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

_SHOW = """
import logging
from prometheus_client import CollectorRegistry, generate_latest
from predictors.summarizer.llama.gpus import GpuCollector
logging.basicConfig(format="%(message)s")
registry = CollectorRegistry()
registry.register(GpuCollector())
print("".join(l + "\\n" for l in generate_latest(registry).decode().splitlines() if not l.startswith("#")), end="")
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return gpu_environment(tmp_path_factory.mktemp("nvml"))


def _show(environment: dict[str, str]) -> tuple[str, str]:
    done = subprocess.run([sys.executable, "-c", _SHOW], env=environment, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_each_gpu_tells_what_it_knows(environment: dict[str, str]) -> None:
    shown, log = _show(environment)
    assert shown.splitlines() == [
        'gpu_utilization_ratio{gpu="0"} 0.25',
        'gpu_memory_used_bytes{gpu="0"} 1000.0',
        'gpu_memory_used_bytes{gpu="1"} 2000.0',
        'gpu_memory_total_bytes{gpu="0"} 80000.0',
        'gpu_memory_total_bytes{gpu="1"} 80000.0',
    ]
    assert log == ""


def test_without_a_driver_it_says_so_once(environment: dict[str, str]) -> None:
    shown, log = _show({**environment, "NO_DRIVER": "1"})
    assert (shown, log) == ("", "no metrics of GPUs: Driver Not Loaded\n")
