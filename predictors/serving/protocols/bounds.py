"""How many things a body may hold, whatever its size in bytes: each costs far more time and memory than its bytes.

Rows, tensors and texts have bounds of their own, by the model.
"""

from collections.abc import Sized

from predictors.serving.errors import TooLarge

MOST_FIELDS = 256
"""Fields of a request's outermost object."""
MOST_PARAMETERS = 64
"""Parameters of a request, or of one tensor."""
MOST_PARTS = 200_000
"""Lists, objects and fields in a whole JSON body."""


def check_count(things: Sized, most: int, where: str) -> None:
    """Refuse too many parameters or fields.

    Raises:
        TooLarge: more than ``most``.
    """
    if len(things) > most:
        raise TooLarge(f"{where} has {len(things)} entries; at most {most} are allowed")
