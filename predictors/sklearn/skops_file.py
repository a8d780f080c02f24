"""Models as skops files: a zip archive of JSON and arrays, of which only named types are made. No code in it runs.

skops knows which types are safe to make from untrusted bytes. A few more are named here, after a look at what making
one does. Any other type must be approved by whoever packs the model, and the artifact's digest pinned, since its
manifest says which types are approved.
"""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

from predictors.serving.errors import ArtifactError, PackageMissing

REVIEWED = frozenset(
    {
        "numpy.dtype",  # made of a string
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",  # plain attributes, unused by predict
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    }
)
"""Types beyond those of skops that are made from any file."""
# Of what a file unpacks to; a small one could claim to hold far more than there is memory.
_MAX_BYTES = 4 * 2**30


def dump_skops(model: Any) -> tuple[bytes, list[str]]:
    """Write a model; returns the file, and the types in it that need approval.

    Raises:
        ArtifactError: it holds something that skops cannot write.
    """
    io_module = _skops()
    try:
        raw: bytes = io_module.dumps(model)
        return raw, needs_approval(raw)
    except ArtifactError:
        raise
    except Exception as error:
        raise ArtifactError(f"skops cannot write it: {' '.join(str(error).split())[:300]}") from error


def needs_approval(raw: bytes) -> list[str]:
    """The types in a file that neither skops nor this module trusts.

    Raises:
        ArtifactError: it is no skops file.
    """
    _check_size(raw)
    try:
        found: list[str] = _skops().get_untrusted_types(data=raw)
    except ArtifactError:
        raise
    except Exception as error:  # it may hold anything
        raise ArtifactError("the model file is not a skops file, or is damaged") from error
    return sorted(set(found) - REVIEWED)


def load_skops(raw: bytes, approved: Sequence[str], trusted: bool) -> Any:
    """Read a model.

    Args:
        raw: the file.
        approved: types that whoever packed it approved.
        trusted: whether the artifact is trusted, so that its approval counts.

    Raises:
        ArtifactError: it holds other types, or is damaged.
    """
    needed = needs_approval(raw)
    if others := sorted(set(needed) - set(approved)):
        raise ArtifactError(f"the skops file holds {', '.join(others)}, which nobody approved")
    if needed and not trusted:
        raise ArtifactError(
            f"the skops file holds {', '.join(needed)}: pin the artifact's manifest with --artifact_digest sha256:…, "
            "or say --trust_artifact"
        )
    try:
        return _skops().loads(raw, trusted=[*needed, *REVIEWED])
    except Exception as error:  # it may hold anything
        raise ArtifactError("the skops file cannot be read; it may be from another scikit-learn version") from error


def _check_size(raw: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise ArtifactError("the model file is not a skops file, or is damaged") from error
    if size > _MAX_BYTES:
        raise ArtifactError(f"the skops file unpacks to {size} bytes; at most {_MAX_BYTES} are allowed")


def _skops() -> Any:
    try:
        import skops.io as module
    except ImportError:
        raise PackageMissing("a skops file needs skops: install kserve-predictors[sklearn]") from None
    return module
