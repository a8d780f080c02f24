"""PromQL: the matchers of a variant's pods, and the query that reads the counters of many pods at once."""

from collections.abc import Sequence

from predictors.rollout.kube.api import Object
from predictors.rollout.metrics.counters import LIMIT, SERIES, STARTED
from predictors.rollout.metrics.source import name_of

POD = "pod"
NAMESPACE = "namespace"
# What tells the series of one process apart, besides the labels that matter of each.
_PROCESS = ("model_name", "model_version", "canary_version", "protocol")


def matchers(pods: Sequence[Object]) -> str:
    """Label matchers of pods, to stand inside braces; without pods, ones that nothing has."""
    if not pods:
        return f'{NAMESPACE}="-",{POD}="-"'
    namespaces = sorted({str(pod["metadata"]["namespace"]) for pod in pods})
    names = sorted(map(name_of, pods))
    return f'{NAMESPACE}=~"{_either(namespaces)}",{POD}=~"{_either(names)}"'


def counters(pods: Sequence[Object], model_name: str) -> str:
    """The query for all series of a model, summed as far as they need not be told apart.

    A pod may be scraped by two jobs, and must not count twice for that: of series that differ in the labels of jobs
    alone, the greatest is taken before anything is summed.
    """
    matter = sorted({label for labels in SERIES.values() for label in labels})
    identity = ("__name__", NAMESPACE, POD, "model_name", *matter)
    every = (*identity, *(label for label in _PROCESS if label not in identity))
    where = matchers(pods)
    ours = f'{{__name__=~"{_either(sorted(SERIES))}",model_name="{_quoted(model_name)}",{LIMIT}="",{where}}}'
    started = f"max by (__name__, {NAMESPACE}, {POD}) ({STARTED}{{{where}}})"
    return f"sum by ({', '.join(identity)}) (max by ({', '.join(every)}) ({ours})) or {started}"


def filled(query: str, stable: Sequence[Object], canary: Sequence[Object]) -> str:
    """A query of one's own, with the variants' matchers in their places."""
    return query.replace("{{stable}}", matchers(stable)).replace("{{canary}}", matchers(canary))


def _either(names: Sequence[str]) -> str:
    """A regular expression, to stand in quotes; the dot is the only special character that such names have."""
    return "|".join(name.replace(".", "[.]") for name in names)


def _quoted(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
