"""llama-cpp-python, loaded on demand.

Everything here imports without it, so that other predictors are served where it is not installed.
"""

import ctypes
import functools
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

from predictors.serving.errors import ArtifactError, PackageMissing
from predictors.summarizer.llama.gguf_header import check_magic, explain

logger = logging.getLogger(__name__)

_LOAD_ERROR = "error loading model:"
# llama.cpp computes on OpenMP threads, which by default spin for milliseconds while they wait for each other. With two
# busy neighbours on two cores, the spinning made a decode step ten times slower. Threads that sleep at once lose
# microseconds per wait, thousands of times per step. So they spin briefly, then sleep. OpenMP reads the variable once,
# when it is loaded.
_SPIN_COUNT = "1000"


class LlamaLibrary:
    """llama.cpp's functions (`api`), with its log forwarded to `logging` at debug level.

    Raises:
        ImportError: llama-cpp-python is not installed.
    """

    def __init__(self) -> None:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPIN_COUNT)
        import llama_cpp

        self.api: Any = llama_cpp
        # llama.cpp logs on the thread that calls it, so each thread finds its own error here.
        self._load_errors: dict[int, str] = {}
        self._no_devices = (ctypes.c_void_p * 1)(None)  # an empty list, which llama.cpp reads while it loads a model
        self._log_callback = llama_cpp.llama_log_callback(self._log)  # kept alive for as long as llama.cpp calls it
        llama_cpp.llama_log_set(self._log_callback, ctypes.c_void_p(0))
        _load_processor_code(Path(llama_cpp.__file__).parent / "lib")
        llama_cpp.llama_backend_init()

    def model_params(self, gpu_layers: int = 0) -> Any:
        """Parameters for a model: llama.cpp's own, and those that say where it computes.

        Args:
            gpu_layers: as in `SummarizerSettings`.
        """
        params = self.api.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        if not gpu_layers:  # llama.cpp would take memory of each GPU that it finds, and compute large batches there
            params.devices = ctypes.cast(self._no_devices, ctypes.c_void_p)
        return params

    def load_model(self, path: Path, name: str, params: Any) -> Any:
        """Load a GGUF file.

        Args:
            path: the file.
            name: what to call it in errors, since the path may be a file descriptor's.
            params: ``llama_model_params``.

        Returns:
            A pointer, to be freed with ``llama_model_free``.

        Raises:
            ArtifactError: not a GGUF file, truncated, or one that llama.cpp does not support.
            OSError: it cannot be read.
        """
        check_magic(path, name)
        self._load_errors.pop(threading.get_ident(), None)
        model = self.api.llama_model_load_from_file(os.fsencode(path), params)
        reason = self._load_errors.pop(threading.get_ident(), "")
        if not model:
            raise ArtifactError(explain(name, reason.replace(str(path), name)))
        return model

    def _log(self, level: int, text: bytes, user_data: object) -> None:
        message = text.decode("utf-8", "replace").rstrip()
        if _LOAD_ERROR in message:
            self._load_errors[threading.get_ident()] = message.partition(_LOAD_ERROR)[2].strip()
        if message:
            logger.debug("llama.cpp: %s", message)


def _load_processor_code(directory: Path) -> None:
    """Let ggml load its code for this processor, where llama.cpp was compiled for several (scripts/llama_wheel.sh)."""
    if not any(directory.glob("libggml-cpu-*")):
        return  # compiled for one kind, and loaded with llama.cpp
    # Looked up through libllama, so that it is the ggml that libllama uses. Without a directory, ggml would search the
    # interpreter's and the current one, where anybody's files may be.
    llama = ctypes.CDLL(str(directory / f"libllama{'.dylib' if sys.platform == 'darwin' else '.so'}"))
    load = llama.ggml_backend_load_all_from_path
    load.argtypes, load.restype = [ctypes.c_char_p], None
    load(os.fsencode(directory))


@functools.cache  # llama.cpp has one log callback per process
def load_library() -> LlamaLibrary:
    """Load llama.cpp, once per process.

    Raises:
        PackageMissing: llama-cpp-python is not installed.
    """
    try:
        return LlamaLibrary()
    except ModuleNotFoundError as error:
        if error.name != "llama_cpp":  # installed, but something that it needs is missing
            raise
        raise PackageMissing("llama-cpp-python is not installed: install kserve-predictors[summarizer]") from None
