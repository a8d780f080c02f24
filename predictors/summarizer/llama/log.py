"""llama.cpp's log: to ours at debug level, except for why a model did not load."""

import ctypes
import logging

import llama_cpp

logger = logging.getLogger(__name__)

_LOAD_ERROR = "error loading model:"
_errors: list[str] = []


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _forward(level: int, text: bytes, user_data: object) -> None:
    message = text.decode("utf-8", "replace").rstrip()
    if _LOAD_ERROR in message:
        _errors.append(message.partition(_LOAD_ERROR)[2].strip())
    if message:
        logger.debug("llama.cpp: %s", message)


# One callback a process; this module is where it is set.
llama_cpp.llama_log_set(_forward, ctypes.c_void_p(0))
llama_cpp.llama_backend_init()


def take_load_error() -> str:
    """Why the last model did not load, in llama.cpp's words; empty if it did not say."""
    reason = _errors[-1] if _errors else ""
    _errors.clear()
    return reason
