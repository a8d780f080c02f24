"""How long a model's batches take, learnt from the batches themselves."""

# Each new observation scales the weights of earlier ones by this, so about the last thirty count.
_MEMORY = 0.97
# A time beyond this multiple of the estimate says more about the machine than about the model, and is clipped.
_OUTLIER = 4.0


class CostModel:
    """The line ``seconds = fixed + each * size`` through recent observations (weighted least squares).

    Observations of a single size do not determine a line: then `fixed` is 0, and time is proportional to size. That is
    the safe error for larger batches, since work that seems long is kept off the event loop.
    """

    __slots__ = ("_mean_seconds", "_mean_size", "_spread", "_together", "_weight", "each", "fixed")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Discard all observations."""
        self.fixed = 0.0  # seconds
        self.each = float("inf")  # seconds per unit of size
        self._weight = self._mean_size = self._mean_seconds = self._spread = self._together = 0.0

    @property
    def known(self) -> bool:
        """Whether anything was learnt."""
        return self._weight > 0

    def estimate(self, size: int) -> float:
        """How long a batch of this size will take, seconds; infinite before the first observation."""
        return self.fixed + self.each * size

    def learn(self, size: int, seconds: float) -> None:
        """Add an observation.

        Args:
            size: of the batch, at least 1: rows, or characters.
            seconds: how long it took.
        """
        if self.estimate(size):
            seconds = min(seconds, _OUTLIER * self.estimate(size))
        weight = self._weight = self._weight * _MEMORY + 1
        off = size - self._mean_size
        share = 1 / weight
        self._mean_size += off * share
        self._mean_seconds += (seconds - self._mean_seconds) * share
        self._spread = self._spread * _MEMORY + off * (size - self._mean_size)
        self._together = self._together * _MEMORY + off * (seconds - self._mean_seconds)
        each = self._mean_seconds / self._mean_size
        if self._spread > 0.01 * weight * self._mean_size**2:
            # Noise can give any slope, so it is kept between 0 (all cost is fixed) and the mean (no cost is fixed).
            each = min(max(self._together / self._spread, 0.0), each)
        self.each = each
        self.fixed = self._mean_seconds - each * self._mean_size
