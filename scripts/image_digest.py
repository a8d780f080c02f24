"""Print an image with its digest, NAME:TAG@sha256:…, from its registry: `image_digest.py [IMAGE]`.

By default it is the base of this project's images. Public images only: it signs in as nobody.
"""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

DOCKERFILE = Path(__file__).parent.parent / "Dockerfile"
# An index of several platforms, or else one platform's manifest.
TYPES = [
    f"application/{kind}"
    for kind in (
        "vnd.oci.image.index.v1+json",
        "vnd.docker.distribution.manifest.list.v2+json",
        "vnd.oci.image.manifest.v1+json",
        "vnd.docker.distribution.manifest.v2+json",
    )
]


def main() -> None:
    """Print the image named on the command line, or the base."""
    image = sys.argv[1] if len(sys.argv) > 1 else base()
    registry, _, rest = image.partition("/")
    name, _, tag = rest.rpartition(":")
    if not (registry and name and tag) or "@" in image:
        sys.exit(f"{image} is not of the form REGISTRY/NAME:TAG")
    try:
        print(f"{image}@{digest(registry, name, tag)}")
    except (urllib.error.URLError, KeyError) as error:
        sys.exit(f"the registry did not say what {image} is: {error}")


def base() -> str:
    """The image that this project's images are built on."""
    return re.findall(r"^ARG PYTHON_IMAGE=(\S+)", DOCKERFILE.read_text(), re.MULTILINE)[0]


def digest(registry: str, name: str, tag: str) -> str:
    """The digest of an image's manifest.

    Raises:
        URLError: the registry cannot be reached, or refuses.
        KeyError: it does not name a digest.
    """
    host = {"docker.io": "registry-1.docker.io"}.get(registry, registry)
    scheme = "http" if host.startswith("localhost:") else "https"  # as docker does
    url, headers = f"{scheme}://{host}/v2/{name}/manifests/{tag}", {"Accept": ", ".join(TYPES)}
    try:
        return head(url, headers)
    except urllib.error.HTTPError as error:
        challenge = error.headers.get("WWW-Authenticate", "")
        if error.code != 401 or not challenge.startswith("Bearer "):
            raise
    return head(url, {**headers, "Authorization": f"Bearer {token(challenge)}"})


def head(url: str, headers: dict[str, str]) -> str:
    """Ask for a manifest's digest alone."""
    request = urllib.request.Request(url, headers=headers, method="HEAD")  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        value: str = answer.headers["Docker-Content-Digest"] or ""
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", value):
        raise KeyError("Docker-Content-Digest")
    return value


def token(challenge: str) -> str:
    """A token for anybody, from where the registry's challenge says."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    query = urllib.parse.urlencode({key: fields[key] for key in ("service", "scope") if key in fields})
    with urllib.request.urlopen(f"{fields['realm']}?{query}", timeout=30) as answer:  # noqa: S310
        value: str = json.load(answer)["token"]
    return value


main()
