"""The request log of one process."""

import logging
import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event as Flag

from prometheus_client import CollectorRegistry

from predictors.serving.dispatch.served_model import ServedModel
from predictors.serving.errors import StartupError
from predictors.serving.request_log.backlog import Backlog
from predictors.serving.request_log.content import Content
from predictors.serving.request_log.event import Events
from predictors.serving.request_log.exporter import Exporter
from predictors.serving.request_log.file_sink import FileSink
from predictors.serving.request_log.http_sink import Address, HttpSink
from predictors.serving.request_log.metrics import RequestLogMetrics, Sink
from predictors.serving.request_log.settings import RequestLogSettings
from predictors.serving.request_log.sink import EventSink
from predictors.serving.request_log.watcher import Watcher

logger = logging.getLogger(__name__)

# On which events are sent at the same time.
_CONNECTIONS = 4
_FLUSH_SECONDS = 3.0


class RequestLog:
    """Logs what models are asked and what they answer.

    Args:
        settings: what is logged, and where to.
        models: the served models.
        registry: where the metrics are registered.

    Raises:
        StartupError: a sink cannot be used.
    """

    def __init__(
        self, settings: RequestLogSettings, models: Iterable[ServedModel], registry: CollectorRegistry
    ) -> None:
        self._settings = settings
        models = list(models)
        host, metrics = socket.gethostname(), RequestLogMetrics(registry)
        content = Content(settings, [model.predictor for model in models])
        events = Events(content, host, settings)
        self._ending = Flag()
        self._exporters: list[Exporter] = []
        backlogs: list[Backlog] = []
        for sink, takers in _sinks(settings, host, self._ending):
            backlog = Backlog(metrics.of(sink))
            backlogs.append(backlog)
            self._exporters.append(Exporter(backlog, events, takers, self._ending))
        for model in models:
            watcher = Watcher(model.predictor, settings.request_log_sample_ratio, backlogs)
            model.watchers = (*model.watchers, watcher)

    def start(self) -> None:
        """Begin to export."""
        sinks = " and ".join(f"--request_log_{exporter.sink}" for exporter in self._exporters)
        texts = "texts too" if self._settings.request_log_documents else "of texts their lengths alone"
        share = 100 * self._settings.request_log_sample_ratio
        logger.info("logging %g%% of the requests and their answers to %s, %s", share, sinks, texts)
        for exporter in self._exporters:
            exporter.start()

    def close(self) -> None:
        """Export what waits, for a few seconds at most; it blocks."""
        self._ending.set()
        deadline = time.monotonic() + _FLUSH_SECONDS
        for exporter in self._exporters:
            exporter.close(deadline)


def _sinks(settings: RequestLogSettings, host: str, ending: Flag) -> Iterator[tuple[Sink, Sequence[EventSink]]]:
    """The sinks that there are, and what takes their events, one for each thread."""
    if settings.request_log_url:
        address = Address.parse(settings.request_log_url)
        yield Sink.URL, [HttpSink(address, ending) for _ in range(_CONNECTIONS)]
    if settings.request_log_file:
        path = Path(settings.request_log_file.replace("{host}", host))
        yield Sink.FILE, [_file_sink(path, settings)]


def _file_sink(path: Path, settings: RequestLogSettings) -> FileSink:
    try:
        return FileSink(path, settings.request_log_file_bytes, settings.request_log_kept_files)
    except OSError as error:
        raise StartupError(
            f"--request_log_file: {path} cannot be written: {os.strerror(error.errno or 0)}; its directory must exist, "
            "and the server be allowed to write there"
        ) from None
