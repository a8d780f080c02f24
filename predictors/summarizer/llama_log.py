"""llama.cpp, set up: how its threads wait, and where its log goes.

Whatever uses llama.cpp imports this first. Its log goes to ours at debug level, except for why a model did not load.
"""

import ctypes
import logging
import os

# OpenMP's threads spin while they wait for each other. Where anything else wants the CPUs too, each then burns the
# time that the other needs: with two busy neighbours on two cores a step took ten times as long. Asleep they lose
# some microseconds per wait instead. Read when the library is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import llama_cpp  # after the line above

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
