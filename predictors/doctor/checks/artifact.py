"""Which bytes are served: the image's, and the model's."""

import re
import shlex
from collections.abc import Iterator

from predictors.doctor import remedy
from predictors.doctor.exported import series
from predictors.doctor.fields import is_on, objects, text
from predictors.doctor.finding import Fix, Issue
from predictors.doctor.model import Model, name_of

_REFERENCE = re.compile(r"(?:[\w-]+://)?([^@]+@sha256:[0-9a-f]{64})")
_INFO = "model_artifact_info"
# Kinds whose training measures them.
_TRAINED = ("iris", "intent")
# For others, the figures are the user's: `artifact pack` does not know them. It changes the digest.
_WRITE_FIGURES = (
    "jq '.evaluation.METRIC = VALUE' DIRECTORY/manifest.json > manifest.new && mv manifest.new DIRECTORY/manifest.json"
)


def _image(model: Model) -> str:
    return text(model.container, "image")


def _tag(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0].partition(":")[2]


def _pinned_image(model: Model) -> str:
    """The image that runs, by its digest; else with a place for one."""
    for pod in model.pods:
        for status in objects(pod, "status", "containerStatuses"):
            match = _REFERENCE.fullmatch(text(status, "imageID"))
            if match and name_of(status) == name_of(model.container):
                return match[1]
    name, _, tag = _image(model).rpartition(":")
    return f"{name if name and '/' not in tag else _image(model)}@sha256:DIGEST"


def image_latest(model: Model) -> Iterator[Issue]:
    """Images that are another one tomorrow."""
    image = _image(model)
    if image and "@" not in image and _tag(image) in ("", "latest"):
        pinned = _pinned_image(model)
        yield model.issue(
            f"its image {image} is whichever is newest when a pod starts, so two pods may differ",
            remedy.container(model, f"image={pinned}", {"image": pinned}),
        )


def image_by_tag(model: Model) -> Iterator[Issue]:
    """Images by a tag, which can be moved."""
    image = _image(model)
    if image and "@" not in image and _tag(image) not in ("", "latest"):
        pinned = _pinned_image(model)
        yield model.issue(
            f"its image {image} is named by a tag, which can be given to another image",
            remedy.container(model, f"image={pinned}", {"image": pinned}),
        )


def not_pinned(model: Model) -> Iterator[Issue]:
    """Artifacts whose bytes nobody has named. One digest cannot name those of a store; its signatures do."""
    if not model.settings.get("artifact_digest") and "model_store" not in model.settings:
        served = next(iter(_exported(model, "digest")), "")
        yield model.issue(
            "it serves whatever is at its storage URI: the artifact's digest is not pinned",
            remedy.argument(
                model,
                f"digest={served or '$(predictors artifact digest DIRECTORY)'}",
                f"--artifact_digest={served or 'sha256:DIGEST'}",
            ),
        )


def trusted(model: Model) -> Iterator[Issue]:
    """Pickles that run whatever code they hold."""
    if is_on(model.settings.get("trust_artifact", "false")) and not model.settings.get("artifact_digest"):
        yield model.issue(
            "--trust_artifact lets a model file run code, and no digest says which file",
            remedy.no_argument(model, "settings.trustArtifact=false", "--trust_artifact"),
        )


def not_signed(model: Model) -> Iterator[Issue]:
    """Artifacts that anyone may have made."""
    if not model.settings.get("signature_key"):
        yield model.issue(
            "it demands no signature, so who made the artifact is not known",
            remedy.argument(model, "signatureKeyConfigMap.name=CONFIGMAP", "--signature_key=/PATH/signature.pem"),
        )


def not_evaluated(model: Model) -> Iterator[Issue]:
    """Artifacts that do not say how good they are."""
    if "false" in _exported(model, "evaluated"):
        line = f"predictors train {shlex.quote(model.kind)}" if model.kind in _TRAINED else _WRITE_FIGURES
        yield model.issue("its manifest has no `evaluation`: no figure says how good this version is", Fix(line))


def _exported(model: Model, label: str) -> list[str]:
    """What its pod says of the artifacts that it serves."""
    return [each.labels.get(label, "") for each in series(model, _INFO) or []]
