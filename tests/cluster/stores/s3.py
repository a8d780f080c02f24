"""An S3 of moto's, which asks for credentials as AWS does."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import httpx
from moto.server import ThreadedMotoServer

BUCKET = "bucket"
REGION = "eu-west-1"
# Reading, and nothing else. (AWS lets ListBucket look at a bucket's head; moto has a right of its own for that.)
_MAY_READ: list[dict[str, Any]] = [
    {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    },
    {"Effect": "Allow", "Action": "s3:HeadBucket", "Resource": "*"},
]
_MAY_DO_ALL: list[dict[str, Any]] = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]


class Credentials(NamedTuple):
    """What a Secret holds."""

    key_id: str
    key: str


class S3:
    """A bucket, a user who may read it, and one who owns it.

    Attributes:
        port: on every address of this machine.
        reader: credentials of the user who may read.
    """

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("0.0.0.0", 0, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]
        self._owner = self._new_user("owner", _MAY_DO_ALL)
        self.reader = self._new_user("reader", _MAY_READ)
        httpx.post(f"{self._url}/moto-api/reset-auth", content=b"0").raise_for_status()
        self._client("s3", self._owner).create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _client(self, service: str, credentials: Credentials) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._url,
            region_name=REGION,
            aws_access_key_id=credentials.key_id,
            aws_secret_access_key=credentials.key,
        )

    def _new_user(self, name: str, rights: list[dict[str, Any]]) -> Credentials:
        iam = self._client("iam", Credentials("anyone", "anything"))
        iam.create_user(UserName=name)
        policy = {"Version": "2012-10-17", "Statement": rights}
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def upload(self, directory: Path, prefix: str) -> str:
        """Put a directory's files under a prefix; gives its URI."""
        client = self._client("s3", self._owner)
        for file in filter(Path.is_file, directory.rglob("*")):
            client.upload_file(str(file), BUCKET, f"{prefix}/{file.relative_to(directory)}")
        return f"s3://{BUCKET}/{prefix}"

    def close(self) -> None:
        self._server.stop()
