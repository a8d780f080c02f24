"""Signatures between this package and OpenSSF's own, both ways; what is not signed; and what becomes of signatures."""

import json
import shutil
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from predictors.serving.artifacts.manifest import read_manifest
from predictors.serving.artifacts.signing import Encrypted, read_certificates, read_private_key, sign
from predictors.serving.artifacts.writing import export, replacing, write_manifest
from predictors.serving.errors import ArtifactError, ArtifactMissing
from tests.signers import AUTHORITY, SIGNER, Key, certify, new_key

CURVES = pytest.mark.parametrize(
    "curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name
)


@pytest.fixture
def iris(artifacts: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(artifacts / "iris", tmp_path / "iris"))


@pytest.fixture
def key(tmp_path: Path) -> Key:
    return new_key(tmp_path / "key")


def check(directory: Path, signature_key: str | Path) -> None:
    read_manifest(directory, signature_key=str(signature_key))


@CURVES
def test_openssfs_tool_accepts_what_is_signed_here(iris: Path, tmp_path: Path, curve: ec.EllipticCurve) -> None:
    from model_signing import verifying

    key = new_key(tmp_path / "key", curve)
    (iris / "README.md").write_text("no part of the artifact")
    sign(iris, key.itself)
    verifier = verifying.Config().use_elliptic_key_verifier(public_key=key.public)
    verifier.verify(iris, iris / "model.sig")
    (iris / "model.npz").write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"Hash mismatch for 'model\.npz'"):
        verifier.verify(iris, iris / "model.sig")


@CURVES
def test_what_openssfs_tool_signs_is_accepted_here(iris: Path, tmp_path: Path, curve: ec.EllipticCurve) -> None:
    from model_signing import signing

    key = new_key(tmp_path / "key", curve)
    signing.Config().use_elliptic_key_signer(private_key=key.private).sign(iris, iris / "model.sig")
    check(iris, key.public)


def test_with_certificates_too(iris: Path, tmp_path: Path) -> None:
    from model_signing import signing, verifying

    root = certify("root", *AUTHORITY)
    middle = certify("middle", *AUTHORITY, issuer=root)
    signer = certify("signer", *SIGNER, issuer=middle)
    files = {name: tmp_path / f"{name}.pem" for name in ("root", "middle", "signer", "key")}
    for each, file in zip((root, middle, signer), files.values(), strict=False):
        file.write_text(each.pem)
    files["key"].write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    sign(iris, signer.key, [signer.certificate, middle.certificate])
    verifier = verifying.Config().use_certificate_verifier(certificate_chain=[files["root"]])
    verifier.verify(iris, iris / "model.sig")

    (iris / "model.sig").unlink()
    signing.Config().use_certificate_signer(
        private_key=files["key"], signing_certificate=files["signer"], certificate_chain=[files["middle"]]
    ).sign(iris, iris / "model.sig")
    check(iris, files["root"])


@pytest.mark.parametrize(
    ("way", "says"),
    [
        (lambda it: it.use_file_serialization(hashing_algorithm="blake2"), "predicate.serialization.hash_type"),
        (lambda it: it.use_file_serialization(hashing_algorithm="blake3"), "predicate.serialization.hash_type"),
        (lambda it: it.use_shard_serialization(shard_size=1000), "predicate.serialization.method"),
    ],
)
def test_other_ways_of_openssfs_tool_are_refused(iris: Path, key: Key, way: Callable[[Any], Any], says: str) -> None:
    from model_signing import hashing, signing

    signer = signing.Config().use_elliptic_key_signer(private_key=key.private)
    signer.set_hashing_config(way(hashing.Config())).sign(iris, iris / "model.sig")
    with pytest.raises(ArtifactError, match=f"is not a signature that can be checked: {says}"):
        check(iris, key.public)


def test_what_openssfs_tool_signs_besides_the_artifact_is_named(iris: Path, key: Key) -> None:
    from model_signing import signing

    (iris / "README.md").write_text("no part of the artifact")
    signing.Config().use_elliptic_key_signer(private_key=key.private).sign(iris, iris / "model.sig")
    with pytest.raises(ArtifactError, match=r'^model\.sig also covers "README\.md", which is no file of the artifact'):
        check(iris, key.public)


def damage(directory: Path) -> None:
    (directory / "model.npz").write_bytes(b"half")


def remove(directory: Path) -> None:
    (directory / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (damage, ArtifactError, r"^model\.npz has 4 bytes, but the manifest says"),
        (remove, ArtifactMissing, "there is no artifact here"),
    ],
)
def test_what_is_not_intact_is_not_signed(
    iris: Path, key: Key, spoil: Callable[[Path], None], error: type[Exception], says: str
) -> None:
    spoil(iris)
    with pytest.raises(error, match=says):
        sign(iris, key.itself)
    assert not (iris / "model.sig").exists()


def test_a_new_signature_takes_the_place_of_the_old_one(iris: Path, key: Key, tmp_path: Path) -> None:
    sign(iris, key.itself)
    other = new_key(tmp_path / "other")
    sign(iris, other.itself)
    check(iris, other.public)
    assert sorted(path.name for path in iris.iterdir()) == ["manifest.json", "model.joblib", "model.npz", "model.sig"]
    assert (iris / "model.sig").stat().st_mode & 0o777 == 0o644
    ignored = json.loads(payload(iris))["predicate"]["serialization"]["ignore_paths"]
    assert ignored == ["model.sig"]


def payload(directory: Path) -> bytes:
    return b64decode(json.loads((directory / "model.sig").read_bytes())["dsseEnvelope"]["payload"])


# Keys.


def test_an_encrypted_key_takes_its_password(iris: Path, tmp_path: Path) -> None:
    key = new_key(tmp_path / "key", password=b"secret")
    with pytest.raises(Encrypted, match=r"^private\.pem is encrypted: its password is needed$"):
        read_private_key(key.private)
    with pytest.raises(ArtifactError, match=r"^private\.pem cannot be decrypted with this password$"):
        read_private_key(key.private, b"Secret")
    sign(iris, read_private_key(key.private, b"secret"))
    check(iris, key.public)


def test_a_password_for_a_key_without_one_is_refused(key: Key) -> None:
    with pytest.raises(ArtifactError, match=r"^private\.pem is not encrypted, but a password is given$"):
        read_private_key(key.private, b"secret")


def private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "key.pem is no private key in PEM"),
        (b"-----BEGIN EC PRIVATE KEY-----\nA\n-----END EC PRIVATE KEY-----", "key.pem is no private key in PEM"),
        (private_pem(rsa.generate_private_key(65537, 2048)), "key.pem is no elliptic key; openssl ecparam -name"),
        (private_pem(ec.generate_private_key(ec.SECP256K1())), "key.pem: it is no elliptic key on P-256, P-384 or P-521"),
        (None, "key.pem cannot be read: No such file or directory"),
    ],
    ids=range(5),
)  # fmt: skip
def test_a_key_that_cannot_sign_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(ArtifactError) as refused:
        read_private_key(tmp_path / "key.pem")
    assert str(refused.value).startswith(says)


def test_a_public_key_cannot_sign(key: Key) -> None:
    with pytest.raises(ArtifactError, match=r"^public\.pem is no private key in PEM$"):
        read_private_key(key.public)


def test_the_first_certificate_is_the_keys_own(key: Key, tmp_path: Path) -> None:
    file = tmp_path / "chain.pem"
    root = certify("root", *AUTHORITY)
    signer = certify("signer", *SIGNER, issuer=root)
    file.write_text(root.pem + signer.pem)
    with pytest.raises(ArtifactError, match=r"^chain\.pem: its first certificate must be that of the key"):
        read_certificates(file, signer.key)
    file.write_text(signer.pem + root.pem)
    assert read_certificates(file, signer.key) == [signer.certificate, root.certificate]
    with pytest.raises(ArtifactError, match=r"^public\.pem is no certificate in PEM$"):
        read_certificates(key.public, signer.key)


# What becomes of a signature.


def test_an_export_takes_the_signature_along(iris: Path, key: Key, tmp_path: Path) -> None:
    target = tmp_path / "volume"
    assert export(iris, target, lambda _: None)[1]
    sign(iris, key.itself)
    assert export(iris, target, lambda _: None)[1]  # the same artifact, now signed
    check(target, key.public)
    assert not export(iris, target, lambda _: None)[1]
    (iris / "model.sig").unlink()
    assert export(iris, target, lambda _: None)[1]
    assert not (target / "model.sig").exists()


def test_a_new_artifact_in_the_directory_has_no_signature(iris: Path, key: Key) -> None:
    sign(iris, key.itself)
    manifest, _ = read_manifest(iris)
    with replacing(iris) as staging:
        write_manifest(staging, manifest)
    assert read_manifest(iris)
    with pytest.raises(ArtifactError, match="is not signed"):
        check(iris, key.public)


def test_a_failure_leaves_the_signature(iris: Path, key: Key) -> None:
    sign(iris, key.itself)

    class Interrupted(Exception):
        pass

    def write() -> None:
        with replacing(iris):
            raise Interrupted

    with pytest.raises(Interrupted):
        write()
    check(iris, key.public)
