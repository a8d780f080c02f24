"""A fake of Google Cloud Storage: a bucket's list and its objects, as the JSON API gives them, without credentials."""

import json
from pathlib import Path

from tests.cluster.stores.fake import Fake, Reply, Request

BUCKET = "bucket"
_LIST = f"/storage/v1/b/{BUCKET}/o"
_DOWNLOAD = f"/download/storage/v1/b/{BUCKET}/o/"


class GCS(Fake):
    """A bucket that anyone may read."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        super().__init__(self._answer)

    def upload(self, directory: Path, prefix: str) -> str:
        """Put a directory's files under a prefix; gives its URI."""
        self._objects |= {f"{prefix}/{file.name}": file.read_bytes() for file in directory.iterdir()}
        return f"gs://{BUCKET}/{prefix}"

    def _answer(self, request: Request) -> Reply:
        if request.path == _LIST:
            names = [name for name in self._objects if name.startswith(request.query.get("prefix", ""))]
            listed = [{"kind": "storage#object", "bucket": BUCKET, "name": name} for name in names]
            return Reply(200, json.dumps({"kind": "storage#objects", "items": listed}).encode())
        found = self._objects.get(request.path.removeprefix(_DOWNLOAD))
        return Reply(404, b"Not Found") if found is None else Reply(200, found)
