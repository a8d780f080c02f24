"""What a model's batches cost, learnt from the batches themselves."""

# An observation keeps this share of its weight with each that follows, so about the last thirty count.
_MEMORY = 0.97
# A time beyond this multiple of the expected one says more about the machine than about the model.
_OUTLIER = 4.0


class CostModel:
    """The line ``seconds = fixed + each * size`` through recent observations (weighted least squares).

    While all observations are of one size there is no line: then `fixed` is 0, and time grows with size. That errs on
    the safe side, since work that is thought to be long is kept off the event loop.
    """

    __slots__ = ("_mean_seconds", "_mean_size", "_spread", "_together", "_weight", "each", "fixed")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.fixed = 0.0  # seconds
        self.each = float("inf")  # seconds per unit of size
        self._weight = self._mean_size = self._mean_seconds = self._spread = self._together = 0.0

    @property
    def known(self) -> bool:
        """Whether anything was learnt."""
        return self._weight > 0

    def estimate(self, size: int) -> float:
        """How long a batch of a size will take, seconds; infinite while nothing is known."""
        return self.fixed + self.each * size

    def learn(self, size: int, seconds: float) -> None:
        """Take one observation in.

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
            # Kept between a cost that is all fixed and one without a fixed part: noise gives lines of any slope.
            each = min(max(self._together / self._spread, 0.0), each)
        self.each = each
        self.fixed = self._mean_seconds - each * self._mean_size
