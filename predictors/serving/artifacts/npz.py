"""Reading npz archives from untrusted bytes."""

import io
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.serving.errors import ArtifactError


def read_npz(raw: bytes, what: str) -> dict[str, NDArray[Any]]:
    """Read all arrays of an archive; pickled objects are refused.

    Args:
        raw: the archive.
        what: what it should hold, for the error.

    Raises:
        ArtifactError: it is not an npz archive, or is damaged.
    """
    try:
        archive = np.load(io.BytesIO(raw), allow_pickle=False)
        if isinstance(archive, np.lib.npyio.NpzFile):
            return {name: archive[name] for name in archive.files}
    except (ValueError, KeyError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        pass
    raise ArtifactError(f"the model file is not {what}'s npz archive")
