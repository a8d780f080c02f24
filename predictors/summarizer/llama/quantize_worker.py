"""The subprocess of `quantize`: llama.cpp's quantization cannot be interrupted, but a process can be killed.

    python -m predictors.summarizer.llama.quantize_worker SOURCE TARGET TYPE THREADS

It reports to standard output, a line each: ``size BYTES`` before it begins, then ``done FRACTION``, at the end
``fallback TENSORS``. If it fails, it reports ``error TEXT`` (``missing TEXT`` if llama-cpp-python is not installed) and
exits with status 1. Its figures are read from llama.cpp's log.
"""

import ctypes
import math
import os
import re
import sys
from pathlib import Path
from typing import Any

from predictors.serving.errors import ArtifactError
from predictors.summarizer.llama.library import load_library

_TENSOR = re.compile(r"\[ *\d+/ *\d+\] .* - \[([\d, ]+)\]")
_SIZE = re.compile(r"(model|quant) size += +([\d.]+) MiB")
_FALLBACK = re.compile(r"(\d+) of \d+ tensor\(s\) required fallback")
_FAILURE = "failed to quantize: "


class Log:
    """What llama.cpp has logged so far.

    Args:
        total_elements: number of weights, to report progress; 0 to report none.
    """

    def __init__(self, total_elements: int = 0) -> None:
        self.elements = 0
        self.mebibytes: dict[str, float] = {}
        self.fallback = 0
        self.failure = ""
        self._total = total_elements

    def read(self, text: str) -> None:
        """Read one message."""
        if tensor := _TENSOR.search(text):  # logged when work on the tensor begins
            if self._total:
                _report("done", self.elements / self._total)
            self.elements += math.prod(int(length) for length in tensor[1].split(","))
        elif size := _SIZE.search(text):
            self.mebibytes[size[1]] = float(size[2])
        elif fallback := _FALLBACK.search(text):
            self.fallback = int(fallback[1])
        elif _FAILURE in text:
            self.failure = text.partition(_FAILURE)[2].strip()


class Worker:
    """Runs llama.cpp's quantization twice: a dry run for the sizes, then the real one.

    Args:
        api: llama.cpp's functions.
    """

    def __init__(self, api: Any) -> None:
        self._api = api
        self._log = Log()
        self._callback = api.llama_log_callback(self._read)
        api.llama_log_set(self._callback, ctypes.c_void_p(0))

    def run(self, source: Path, target: Path, type_name: str, threads: int) -> None:
        """Quantize one file.

        Raises:
            RuntimeError: with llama.cpp's reason.
        """
        dry = self._quantize(source, target, type_name, threads, Log(), dry_run=True)
        growth = dry.mebibytes["quant"] - dry.mebibytes["model"]
        _report("size", source.stat().st_size + int(growth * 2**20))
        self._quantize(source, target, type_name, threads, Log(dry.elements), dry_run=False)
        _report("done", 1.0)
        _report("fallback", dry.fallback)

    def _quantize(self, source: Path, target: Path, type_name: str, threads: int, log: Log, dry_run: bool) -> Log:
        self._log = log
        params = self._api.llama_model_quantize_default_params()
        params.ftype = getattr(self._api, f"LLAMA_FTYPE_MOSTLY_{type_name}")
        params.nthread = threads
        params.allow_requantize = True
        params.dry_run = dry_run
        if self._api.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(params)):
            raise RuntimeError(log.failure or "llama.cpp gave no reason")
        return log

    def _read(self, level: int, text: bytes, user_data: object) -> None:
        try:
            self._log.read(text.decode("utf-8", "replace"))
        except OSError:  # the parent is gone
            os._exit(1)


def _report(word: str, value: object) -> None:
    sys.stdout.write(f"{word} {value}\n")
    sys.stdout.flush()


def main() -> None:
    """Quantize as the arguments say."""
    source, target, type_name, threads = sys.argv[1:]
    try:
        Worker(load_library().api).run(Path(source), Path(target), type_name, int(threads))
    except RuntimeError as error:
        _report("error", error)
        raise SystemExit(1) from None
    except ArtifactError as error:
        _report("missing", error)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
