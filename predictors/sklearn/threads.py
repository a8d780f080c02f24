"""One thread for each computation: a pool's threads spin while they wait, and a pod has about one CPU."""

import threading
from typing import Any

_limited = threading.local()


def limit_threads() -> None:
    """Keep BLAS and OpenMP to the calling thread, from now on.

    OpenMP has a limit for each thread that calls it, so whichever thread predicts calls this first. After the first
    time, it costs nothing.
    """
    if getattr(_limited, "done", False):
        return
    import threadpoolctl

    threadpoolctl.threadpool_limits(1)
    _limited.done = True


def limit_jobs(estimators: list[Any]) -> None:
    """Keep estimators from starting jobs of their own."""
    for estimator in estimators:
        if hasattr(estimator, "n_jobs"):
            estimator.n_jobs = 1
