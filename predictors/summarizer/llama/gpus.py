"""What the GPUs of this machine are doing, as NVIDIA's driver tells (NVML)."""

import logging
from collections.abc import Iterator
from typing import Any

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)


class GpuCollector(Collector):
    """Reports how busy each GPU that this process sees is, and how much of its memory is in use, by whomever.

    Without nvidia-ml-py, a driver or a GPU it says so once, and reports nothing.
    """

    def __init__(self) -> None:
        self._devices: list[Any] = []
        try:
            import pynvml
        except ImportError:
            logger.warning("no metrics of GPUs: nvidia-ml-py is not installed (pip install 'kserve-predictors[cuda]')")
            return
        self._nvml = pynvml
        try:
            pynvml.nvmlInit()
            self._devices = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError as error:
            logger.warning("no metrics of GPUs: %s", error)

    def collect(self) -> Iterator[Metric]:
        """Ask the driver."""
        label = ("gpu",)
        busy = GaugeMetricFamily("gpu_utilization_ratio", "Share of the time in which a GPU computes.", labels=label)
        used = GaugeMetricFamily("gpu_memory_used_bytes", "Memory of a GPU that is in use.", labels=label)
        total = GaugeMetricFamily("gpu_memory_total_bytes", "Memory of a GPU.", labels=label)
        for number, device in enumerate(self._devices):
            labels = [str(number)]
            try:
                memory = self._nvml.nvmlDeviceGetMemoryInfo(device)
                used.add_metric(labels, memory.used)
                total.add_metric(labels, memory.total)
                # A part of a GPU (MIG) does not tell how busy it is.
                busy.add_metric(labels, self._nvml.nvmlDeviceGetUtilizationRates(device).gpu / 100)
            except self._nvml.NVMLError as error:
                logger.debug("GPU %d: %s", number, error)
        yield from (busy, used, total)
