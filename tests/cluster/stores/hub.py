"""A fake of the Hugging Face hub: one private model's files, and what a client asks before it fetches them."""

import hashlib
import json
from pathlib import Path

from tests.cluster.stores.fake import Fake, Reply, Request

_COMMIT = "0" * 40


class Hub(Fake):
    """A hub with models that a token may read.

    Args:
        token: the one.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._models: dict[str, dict[str, bytes]] = {}
        super().__init__(self._answer)

    def upload(self, directory: Path, model: str) -> str:
        """Put a directory's files into a model, OWNER/NAME; gives its URI."""
        self._models[model] = {file.name: file.read_bytes() for file in directory.iterdir()}
        return f"hf://{model}"

    def _answer(self, request: Request) -> Reply:
        if request.authorization != f"Bearer {self._token}":
            return Reply(
                401, b"{}", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Invalid username or password."}
            )
        for model, files in self._models.items():
            if request.path.startswith(f"/api/models/{model}/tree/"):
                entries = [
                    {"type": "file", "path": name, "size": len(data), "oid": _etag(data)}
                    for name, data in files.items()
                ]
                return Reply(200, json.dumps(entries).encode())
            if request.path.startswith(f"/api/models/{model}"):
                siblings = [{"rfilename": name} for name in files]
                return Reply(200, json.dumps({"id": model, "sha": _COMMIT, "siblings": siblings}).encode())
            name = request.path.removeprefix(f"/{model}/resolve/{_COMMIT}/")
            if name in files:
                data = files[name]
                return Reply(200, data, {"ETag": f'"{_etag(data)}"', "X-Repo-Commit": _COMMIT})
        return Reply(404, b"{}", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
