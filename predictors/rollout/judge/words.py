"""Numbers in sentences for people."""


def percent(rate: float) -> str:
    """A share."""
    return f"{rate:.1%}"


def percentile(share: float) -> str:
    """The name of a quantile."""
    return f"p{share * 100:g}"


def points(low: float | None, high: float | None) -> str:
    """An interval of a difference of shares."""
    if low is None:
        return "not sure yet" if high is None else f"at most {_points(high)} points worse"
    if high is None:
        return f"at least {_points(low)} points worse"
    return f"{_points(low)} to {_points(high)} points worse"


def _points(share: float) -> str:
    return f"{share * 100:.3g}"


def shares(low: float | None, high: float | None) -> str:
    """An interval of a share."""
    return f"({percent(low or 0)} to {percent(1 if high is None else high)})"


def times(value: float) -> str:
    """A ratio, to two digits."""
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"


def ratio(low: float | None, high: float | None) -> str:
    """An interval of a ratio."""
    if low is None:
        return "(not sure yet)" if high is None else f"(at most {times(high)})"
    return f"(at least {times(low)})" if high is None else f"({times(low)} to {times(high)})"


def seconds(value: float) -> str:
    """A duration, in the unit that suits it."""
    if value < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} s" if value < 100 else f"{value:,.0f} s"


def count(number: float) -> str:
    """A whole number."""
    return f"{number:,.0f}"


def more(missing: float | None, things: str) -> str:
    """How many more are needed, to two digits."""
    if missing is None or missing > 1e6:
        return "too close to the bound to be sure soon"
    return f"needs about {max(float(f'{missing:.2g}'), 1):,.0f} more {things} to be sure"
