"""The process that quantizes, started by `quantize`: llama.cpp cannot be interrupted, but a process can be ended.

    python -m predictors.summarizer.llama.quantize_worker SOURCE TARGET TYPE THREADS

It writes one report a line to standard output: ``size BYTES`` before it begins, ``done FRACTION``, at the end
``fallback TENSORS``, and where it fails ``error TEXT`` with exit status 1. All of it is read from llama.cpp's log.
"""

import ctypes
import math
import os
import re
import sys
from pathlib import Path

import llama_cpp

_TENSOR = re.compile(r"\[ *\d+/ *\d+\] .* - \[([\d, ]+)\]")
_SIZE = re.compile(r"(model|quant) size += +([\d.]+) MiB")
_FALLBACK = re.compile(r"(\d+) of \d+ tensor\(s\) required fallback")
_FAILURE = "failed to quantize: "


class Log:
    """What llama.cpp has said so far.

    Args:
        total_elements: of all tensors, to report progress; 0 to report none.
    """

    def __init__(self, total_elements: int = 0) -> None:
        self.elements = 0
        self.mebibytes: dict[str, float] = {}
        self.fallback = 0
        self.failure = ""
        self._total = total_elements

    def read(self, text: str) -> None:
        """Take one message in."""
        if tensor := _TENSOR.search(text):  # it is written when work on the tensor begins
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
    """Two runs of llama.cpp's quantization: a dry one for the sizes, then the real one."""

    def __init__(self) -> None:
        self._log = Log()
        self._callback = llama_cpp.llama_log_callback(self._read)
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p(0))

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
        params = llama_cpp.llama_model_quantize_default_params()
        params.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{type_name}")
        params.nthread = threads
        params.allow_requantize = True
        params.dry_run = dry_run
        if llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(params)):
            raise RuntimeError(log.failure or "llama.cpp gave no reason")
        return log

    def _read(self, level: int, text: bytes, user_data: object) -> None:
        try:
            self._log.read(text.decode("utf-8", "replace"))
        except OSError:  # nobody reads the reports any more
            os._exit(1)


def _report(word: str, value: object) -> None:
    sys.stdout.write(f"{word} {value}\n")
    sys.stdout.flush()


def main() -> None:
    """Do what the arguments say."""
    source, target, type_name, threads = sys.argv[1:]
    try:
        Worker().run(Path(source), Path(target), type_name, int(threads))
    except RuntimeError as error:
        _report("error", error)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
