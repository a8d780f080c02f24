"""Earlier templates of a rollout: which there are, and how to go back to one."""

from typing import NamedTuple

from predictors.rollout.controller.revisions import ROLLOUT_LABEL
from predictors.rollout.engine.state import Result
from predictors.rollout.kube.api import Api, Object, Refused
from predictors.rollout.routing.objects import storage_uri
from predictors.rollout.routing.target import revision


class Kept(NamedTuple):
    """An earlier template.

    Args:
        revision: its name, 8 hexadecimal digits.
        number: the higher, the newer.
        template: as it was.
        created: when it was first seen, RFC 3339.
    """

    revision: str
    number: int
    template: Object
    created: str

    @property
    def storage_uri(self) -> str:
        """Where its artifact is."""
        return storage_uri(self.template["spec"]["predictor"])


def kept(api: Api, rollout: Object) -> list[Kept]:
    """The kept templates of an InferenceRollout, newest first; that of now among them."""
    metadata = rollout["metadata"]
    found = api.list("ControllerRevision", metadata["namespace"], f"{ROLLOUT_LABEL}={metadata['name']}")
    made = [
        Kept(
            each["metadata"]["name"].removeprefix(f"{metadata['name']}-"),
            int(each["revision"]),
            each["data"],
            each["metadata"].get("creationTimestamp", ""),
        )
        for each in found
    ]
    return sorted(made, key=lambda each: -each.number)


def earlier(api: Api, rollout: Object, wanted: str = "") -> Kept:
    """The template to go back to.

    Args:
        api: the API server.
        rollout: the InferenceRollout.
        wanted: its revision, or the first digits of it; empty: the one that was promoted last before the present one,
            or, where none was, the newest other one.

    Raises:
        Refused: there is no such one.
    """
    present = revision(rollout["spec"]["template"]["spec"]["predictor"])
    others = [each for each in kept(api, rollout) if each.revision != present]
    if wanted and present.startswith(wanted):
        raise Refused(f"{present} is the template that it has")
    if wanted:
        others = [each for each in others if each.revision.startswith(wanted)]
    if not others:
        raise Refused(f"there is no {f'revision {wanted}' if wanted else 'other revision'} to go back to")
    if wanted and len(others) > 1:
        raise Refused(f"several revisions begin with {wanted}: {', '.join(each.revision for each in others)}")
    history = (rollout.get("status") or {}).get("history") or []
    for entry in history if not wanted else []:
        for each in others:
            if entry.get("result") == Result.PROMOTED and entry.get("revision") == each.revision:
                return each
    return others[0]


def restore(api: Api, rollout: Object, template: Object) -> Object:
    """Give an InferenceRollout an earlier template, as a whole: a patch would keep what is new in the one of now.

    Raises:
        Conflict: somebody else changed it since it was read.
    """
    return api.replace(rollout | {"spec": rollout["spec"] | {"template": template}})
