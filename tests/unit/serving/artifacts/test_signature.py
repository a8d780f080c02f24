"""What a signature that is demanded keeps out."""

import json
import os
import shutil
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from predictors.iris.model import IrisPredictor
from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.manifest import read_manifest
from predictors.serving.artifacts.signature import PAYLOAD_TYPE, encode
from predictors.serving.artifacts.signers import algorithm
from predictors.serving.artifacts.signing import sign
from predictors.serving.errors import ArtifactError, ArtifactMissing
from predictors.serving.settings import ArtifactSettings, Source
from tests.signers import AUTHORITY, CODE_SIGNER, SIGNER, Certified, Key, certify, new_key, usage

NOT_OURS = "model.sig was made with a key that is none of those in --signature_key, or it was changed since"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return new_key(tmp_path_factory.mktemp("key"))


@pytest.fixture
def signed(key: Key, artifacts: Path, tmp_path: Path) -> Path:
    directory = Path(shutil.copytree(artifacts / "iris", tmp_path / "iris"))
    sign(directory, key.itself)
    return directory


def load(directory: Path, signature_key: str | Path, digest: str = "", trusted: bool = False) -> IrisPredictor:
    model = IrisPredictor("iris", Source(directory, digest, trusted, str(signature_key)))
    model.load()
    return model


def bundle(directory: Path) -> dict[str, Any]:
    return dict(json.loads((directory / "model.sig").read_bytes()))


def statement(directory: Path) -> dict[str, Any]:
    return dict(json.loads(b64decode(bundle(directory)["dsseEnvelope"]["payload"])))


def write(directory: Path, content: object) -> None:
    (directory / "model.sig").write_text(json.dumps(content))


def resign(directory: Path, key: Key, content: object) -> None:
    """Have the right key sign something else."""
    payload = json.dumps(content).encode()
    signature = key.itself.sign(encode(payload), algorithm(key.itself.public_key()))
    changed = bundle(directory)
    changed["dsseEnvelope"]["payload"] = b64encode(payload).decode()
    changed["dsseEnvelope"]["signatures"][0]["sig"] = b64encode(signature).decode()
    write(directory, changed)


def test_a_signed_artifact_is_loaded(signed: Path, key: Key) -> None:
    assert load(signed, key.public).format == "npz"
    assert load(signed, key.public.read_text()).format == "npz"  # the PEM itself
    assert load(signed, key.public, digest=read_manifest(signed)[1]).format == "npz"


def test_without_a_key_signatures_are_not_looked_at(signed: Path) -> None:
    (signed / "model.sig").write_text("nonsense")
    assert IrisPredictor("iris", Source(signed)).load()


def test_what_is_unsigned_is_refused(signed: Path, key: Key) -> None:
    (signed / "model.sig").unlink()
    with pytest.raises(ArtifactError) as refused:
        load(signed, key.public)
    assert str(refused.value) == (
        "iris is not signed: it has no model.sig, which --signature_key demands; predictors artifact sign makes one"
    )


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_what_another_key_signed_is_refused(signed: Path, key: Key, curve: ec.EllipticCurve, tmp_path: Path) -> None:
    other = new_key(tmp_path / "other", curve)
    sign(signed, other.itself)
    assert load(signed, other.public).ready
    with pytest.raises(ArtifactError) as refused:
        load(signed, key.public)
    assert str(refused.value) == NOT_OURS


def test_a_signature_of_another_artifact_is_refused(signed: Path, key: Key, artifacts: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(artifacts / "intent", tmp_path / "intent"))
    sign(other, key.itself)
    shutil.copy(other / "model.sig", signed)
    with pytest.raises(ArtifactError, match=r"^\w+\.\w+ has the sha256 \w{64}, but \w{64} is signed$"):
        load(signed, key.public)


def test_a_changed_manifest_is_refused(signed: Path, key: Key) -> None:
    path = signed / "manifest.json"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ArtifactError, match=r"^manifest\.json has the sha256 \w{64}, but \w{64} is signed$"):
        load(signed, key.public)


def test_a_changed_file_is_refused(signed: Path, key: Key) -> None:
    path = signed / "model.npz"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ArtifactError, match=r"model\.npz has the sha256 \w{64}, but the manifest says"):
        load(signed, key.public)


def test_a_changed_payload_is_refused(signed: Path, key: Key) -> None:
    """Whoever changes the manifest can put its digest into the list, but not sign that."""
    changed = bundle(signed)
    listed = statement(signed)
    listed["predicate"]["resources"][0]["digest"] = "0" * 64
    changed["dsseEnvelope"]["payload"] = b64encode(json.dumps(listed).encode()).decode()
    write(signed, changed)
    with pytest.raises(ArtifactError) as refused:
        load(signed, key.public)
    assert str(refused.value) == NOT_OURS


def with_resources(change: Callable[[list[dict[str, str]]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda listed: change(listed["predicate"]["resources"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (with_resources(lambda them: them.pop()), r"^model\.sig does not cover model\.npz: sign the artifact again$"),
        (with_resources(lambda them: them.clear()), r"^model\.sig does not cover "),
        (with_resources(lambda them: them.append({**them[0], "name": "a"})), r'^model\.sig also covers "a", which is no'),
        (with_resources(lambda them: them.append({**them[0], "name": "\x1b[2J\n"})), r'also covers "\\u001b\[2J\\n", which'),
        (with_resources(lambda them: them.append(them[0])), r"^model\.sig lists a file twice$"),
        (with_resources(lambda them: them.append({**them[0], "digest": "0" * 64})), r"^model\.sig lists a file twice$"),
        (with_resources(lambda them: them[0].update(digest="0" * 64)), r"^manifest\.json has the sha256 \w{64}, but 0{64} is"),
        (with_resources(lambda them: them[0].update(name="./manifest.json")), r"^model\.sig does not cover manifest\.json"),
        (with_resources(lambda them: them[0].update(algorithm="blake3")), r"predicate\.resources\.0\.algorithm"),
        (with_resources(lambda them: them[0].update(digest="f00d")), r"predicate\.resources\.0\.digest"),
        (lambda it: it["predicate"]["serialization"].update(hash_type="blake2b"), r"predicate\.serialization\.hash_type"),
        (lambda it: it["predicate"]["serialization"].update(method="shards"), r"predicate\.serialization\.method"),
        (lambda it: it.update(predicateType="https://model_signing/Digests/v0.1"), r"predicateType"),
        (lambda it: it.update(predicateType="https://model_signing/signature/v1.0\n"), r"predicateType"),
        (lambda it: it.update(_type="https://in-toto.io/Statement/v2"), r"_type"),
        (lambda it: it.pop("predicate"), r"cannot be checked|that can be checked: predicate: Field required"),
        (lambda it: it.update(predicate=[]), r"that can be checked: predicate: "),
    ],
)  # fmt: skip
def test_what_the_key_signed_must_be_this_artifact_in_this_way(
    signed: Path, key: Key, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    listed = statement(signed)
    resign(signed, key, listed)
    assert load(signed, key.public).ready  # as it is, it is fine
    change(listed)
    resign(signed, key, listed)
    with pytest.raises(ArtifactError, match=says) as refused:
        load(signed, key.public)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [None, 0, "text", [], {}, [[]]])
def test_a_signed_payload_that_is_no_statement_is_refused(signed: Path, key: Key, content: object) -> None:
    resign(signed, key, content)
    with pytest.raises(ArtifactError, match=r"^model\.sig is not a signature that can be checked: "):
        load(signed, key.public)


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense", b"\xff\xfe", b"null", b"[]", b"{}", b"1e999", b"[" * 500_000, b'{"a":' * 100_000, b"9" * 10_000],
    ids=lambda raw: raw[:8],
)
def test_a_broken_signature_is_refused(signed: Path, key: Key, raw: bytes) -> None:
    (signed / "model.sig").write_bytes(raw)
    with pytest.raises(ArtifactError, match=r"^model\.sig is not a signature that can be checked: ") as refused:
        load(signed, key.public)
    assert len(str(refused.value)) < 300
    assert "\n" not in str(refused.value)


def test_half_of_a_signature_is_refused(signed: Path, key: Key) -> None:
    path = signed / "model.sig"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ArtifactError, match=r"^model\.sig is not a signature that can be checked: it is not JSON$"):
        load(signed, key.public)


def test_a_huge_signature_is_not_read(signed: Path, key: Key) -> None:
    with (signed / "model.sig").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ArtifactError, match=r"^model\.sig has more than 1048576 bytes, so it is no signature$"):
        load(signed, key.public)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_signature_that_is_no_file_is_refused(signed: Path, key: Key, make: Callable[[Path], None]) -> None:
    (signed / "model.sig").unlink()
    make(signed / "model.sig")
    with pytest.raises(ArtifactError, match=r"^model\.sig is not a regular file$"):
        load(signed, key.public)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
PATHS = (
    ("mediaType",),
    ("verificationMaterial",),
    ("verificationMaterial", "x509CertificateChain"),
    ("dsseEnvelope",),
    ("dsseEnvelope", "payload"),
    ("dsseEnvelope", "payloadType"),
    ("dsseEnvelope", "signatures"),
    ("dsseEnvelope", "signatures", 0, "sig"),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), value=JSON)
def test_whatever_stands_in_a_signature_it_is_refused_with_a_sentence(
    signed: Path, key: Key, path: tuple[Any, ...], value: object
) -> None:
    shutil.copy(signed / "model.sig", signed.parent / "original")
    changed = bundle(signed)
    parent = changed
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    write(signed, changed)
    try:
        read_manifest(signed, signature_key=str(key.public))
    except ArtifactError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:  # a chain of certificates that nobody asked for does not matter
        assert path[0] == "verificationMaterial"
    finally:
        shutil.copy(signed.parent / "original", signed / "model.sig")


@pytest.mark.parametrize("count", [0, 2])
def test_a_bundle_has_one_signature(signed: Path, key: Key, count: int) -> None:
    changed = bundle(signed)
    changed["dsseEnvelope"]["signatures"] *= count
    write(signed, changed)
    with pytest.raises(ArtifactError, match=r"that can be checked: dsseEnvelope\.signatures"):
        load(signed, key.public)


def test_the_payloads_type_is_signed(signed: Path, key: Key) -> None:
    """A signature over the same bytes as something else is none of this artifact."""
    payload = b64decode(bundle(signed)["dsseEnvelope"]["payload"])
    changed = bundle(signed)
    message = encode(payload).replace(PAYLOAD_TYPE.encode(), b"application/vnd.in-toto+text")
    signature = key.itself.sign(message, algorithm(key.itself.public_key()))
    changed["dsseEnvelope"]["signatures"][0]["sig"] = b64encode(signature).decode()
    write(signed, changed)
    with pytest.raises(ArtifactError) as refused:
        load(signed, key.public)
    assert str(refused.value) == NOT_OURS


class Bomb:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.trace,))


def test_a_joblib_file_without_a_manifest_is_refused_even_if_trusted(key: Key, tmp_path: Path) -> None:
    joblib.dump(Bomb(tmp_path / "trace"), tmp_path / "model.joblib")
    with pytest.raises(
        ArtifactMissing, match="there is no artifact here; predictors train iris or predictors artifact"
    ):
        load(tmp_path, key.public, trusted=True)
    assert not (tmp_path / "trace").exists()


def test_a_signature_says_whose_a_file_is_and_not_that_its_code_may_run(signed: Path, key: Key) -> None:
    path = signed / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = [entry for entry in manifest["files"] if entry["format"] == "joblib"]
    path.write_text(json.dumps(manifest))
    sign(signed, key.itself)
    with pytest.raises(ArtifactError, match="is a joblib file, which runs code when loaded"):
        load(signed, key.public)
    assert load(signed, key.public, trusted=True).format == "joblib"


# What is put in its place meanwhile.


def test_what_replaces_the_files_once_the_signature_is_checked_is_not_loaded(signed: Path, key: Key) -> None:
    artifact = Artifact.open(signed, "iris", signature_key=str(key.public))
    entry = artifact.choose()
    with artifact.verified_path(entry) as path:
        good = (signed / entry.name).read_bytes()
        (signed / "new").write_bytes(b"x" * len(good))
        (signed / "new").replace(signed / entry.name)
        assert path.read_bytes() == good
    for read in (artifact.read, lambda entry: artifact.verified_path(entry).__enter__()):
        with pytest.raises(ArtifactError, match=r"^model\.npz has the sha256 "):
            read(entry)


def test_a_manifest_that_is_swapped_again_and_again_is_never_taken_for_the_signed_one(signed: Path, key: Key) -> None:
    good = (signed / "manifest.json").read_bytes()
    bad = good.replace(b'"version": "1"', b'"version": "6"')
    assert bad != good
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for content in (bad, good):
                (signed / "new").write_bytes(content)
                (signed / "new").replace(signed / "manifest.json")

    swapping = threading.Thread(target=swap)
    swapping.start()
    versions: set[str] = set()
    try:
        while len(versions) < 2:
            try:
                versions.add(Artifact.open(signed, "iris", signature_key=str(key.public)).manifest.version)
            except ArtifactError as error:
                assert "manifest.json has the sha256" in str(error)  # noqa: PT017
                versions.add("refused")
    finally:
        stop.set()
        swapping.join()
    assert versions == {"1", "refused"}


# Who may sign.


def test_one_of_several_keys_does(signed: Path, key: Key, tmp_path: Path) -> None:
    """So that one takes the place of another without a pod that refuses what the other signed."""
    new = new_key(tmp_path / "new")
    both = tmp_path / "both.pem"
    both.write_text(f"the new one\n{new.public.read_text()}\nthe old one\n{key.public.read_text()}")
    assert load(signed, both).ready
    sign(signed, new.itself)
    assert load(signed, both).ready
    both.write_text(key.public.read_text())
    with pytest.raises(ArtifactError, match="none of those in --signature_key"):
        load(signed, both)


def public_pem(key: Any) -> str:
    return str(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "key.pem holds no public key and no certificate in PEM"),
        ("ssh-ed25519 AAAA", "key.pem holds no public key and no certificate in PEM"),
        ("-----BEGIN PUBLIC KEY-----\n", "holds no public key and no certificate in PEM"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "holds a PUBLIC KEY that cannot be used: "),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "holds a CERTIFICATE that cannot be used: "),
        ("-----BEGIN EC PRIVATE KEY-----\nA\n-----END EC PRIVATE KEY-----", "holds a private key; give its public half"),
        (public_pem(rsa.generate_private_key(65537, 2048).public_key()), "it is no elliptic key on P-256, P-384 or P-521"),
        (public_pem(ed25519.Ed25519PrivateKey.generate().public_key()), "it is no elliptic key on P-256, P-384 or P-521"),
        (public_pem(ec.generate_private_key(ec.SECP256K1()).public_key()), "it is no elliptic key on P-256, P-384 or P-521"),
    ],
    ids=range(9),
)  # fmt: skip
def test_a_key_that_is_none_loads_nothing(signed: Path, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "key.pem").write_text(text)
    with pytest.raises(ArtifactError) as refused:
        load(signed, tmp_path / "key.pem")
    assert str(refused.value).startswith("--signature_key: key.pem holds ")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_key_that_cannot_be_read_loads_nothing(signed: Path, tmp_path: Path) -> None:
    for path, says in ((tmp_path / "none.pem", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ArtifactError) as refused:
            load(signed, path)
        assert str(refused.value) == f"--signature_key: {path.name} cannot be read: {says}"


def test_an_empty_flag_is_not_the_same_as_none() -> None:
    with pytest.raises(ValidationError):
        ArtifactSettings(signature_key="")


def test_a_key_that_is_among_those_that_may_not_be_used_is_not_skipped(signed: Path, key: Key, tmp_path: Path) -> None:
    rsa_key = public_pem(rsa.generate_private_key(65537, 2048).public_key())
    (tmp_path / "key.pem").write_text(key.public.read_text() + rsa_key)
    with pytest.raises(ArtifactError, match="it is no elliptic key"):
        load(signed, tmp_path / "key.pem")


# Certificates.


@pytest.fixture(scope="module")
def root() -> Certified:
    return certify("root", *AUTHORITY)


@pytest.fixture(scope="module")
def middle(root: Certified) -> Certified:
    return certify("middle", *AUTHORITY, issuer=root)


def sign_with(directory: Path, *chain: Certified) -> None:
    sign(directory, chain[0].key, [each.certificate for each in chain])


@pytest.mark.parametrize("extensions", [SIGNER, CODE_SIGNER])
def test_a_certificate_that_leads_to_an_authority_does(
    signed: Path, root: Certified, middle: Certified, extensions: Any
) -> None:
    """Though both have expired: nothing says when it was signed."""
    sign_with(signed, certify("signer", *extensions, issuer=middle), middle)
    assert load(signed, root.pem).ready
    assert load(signed, middle.pem).ready
    with pytest.raises(ArtifactError, match="made with a certificate that --signature_key does not vouch for: "):
        load(signed, certify("root", *AUTHORITY).pem)


def test_a_key_and_a_certificate_do_not_stand_for_each_other(signed: Path, key: Key, root: Certified) -> None:
    with pytest.raises(ArtifactError, match="made with a key that is none of those"):
        load(signed, root.pem)
    assert load(signed, key.public.read_text() + root.pem).ready
    sign_with(signed, certify("signer", *SIGNER, issuer=root))
    with pytest.raises(ArtifactError, match="made with a certificate that is none of those"):
        load(signed, key.public)
    assert load(signed, key.public.read_text() + root.pem).ready


VOUCHES_NOT = r"^model\.sig was made with a certificate that --signature_key does not vouch for: "


@pytest.mark.parametrize(
    ("signer", "says"),
    [
        ((*SIGNER[:1], usage()), "it is not for digital signatures, nor for signing code"),
        ((), "it is not for digital signatures, nor for signing code"),
    ],
)
def test_a_certificate_for_something_else_does_not(signed: Path, root: Certified, signer: Any, says: str) -> None:
    sign_with(signed, certify("server", *signer, issuer=root))
    with pytest.raises(ArtifactError, match=VOUCHES_NOT + says):
        load(signed, root.pem)


@pytest.mark.parametrize("extensions", [SIGNER, (AUTHORITY[0], usage(signs=True)), ()])
def test_whoever_may_not_issue_certificates_vouches_for_none(signed: Path, root: Certified, extensions: Any) -> None:
    employee = certify("employee", *extensions, issuer=root)
    sign_with(signed, certify("friend", *SIGNER, issuer=employee), employee)
    with pytest.raises(ArtifactError, match=VOUCHES_NOT):
        load(signed, root.pem)
    with pytest.raises(ArtifactError, match=VOUCHES_NOT):
        load(signed, employee.pem)


def test_a_chain_with_a_gap_does_not(signed: Path, root: Certified, middle: Certified) -> None:
    sign_with(signed, certify("signer", *SIGNER, issuer=middle))
    with pytest.raises(ArtifactError, match=VOUCHES_NOT):
        load(signed, root.pem)


def test_an_issuer_of_the_same_name_does_not(signed: Path, root: Certified) -> None:
    impostor = certify("root", *AUTHORITY)
    sign_with(signed, certify("signer", *SIGNER, issuer=impostor), impostor)
    with pytest.raises(ArtifactError, match=VOUCHES_NOT):
        load(signed, root.pem)


def test_a_signature_by_another_key_than_the_certificates_is_refused(signed: Path, root: Certified) -> None:
    sign(signed, certify("thief", *SIGNER).key, [certify("signer", *SIGNER, issuer=root).certificate])
    with pytest.raises(ArtifactError, match=r"^model\.sig was changed since it was signed$"):
        load(signed, root.pem)


def test_a_certificate_of_ones_own_may_be_its_own_authority(signed: Path) -> None:
    own = certify("own", *SIGNER)
    sign_with(signed, own)
    assert load(signed, own.pem).ready


def test_a_certificate_with_any_byte_changed_is_refused_with_a_sentence(signed: Path, root: Certified) -> None:
    sign_with(signed, certify("signer", *SIGNER, issuer=root))
    changed = bundle(signed)
    certificate = changed["verificationMaterial"]["x509CertificateChain"]["certificates"][0]
    raw = b64decode(certificate["rawBytes"])
    for i in range(len(raw)):
        other = raw[:i] + bytes([raw[i] ^ 0x81]) + raw[i + 1 :]
        certificate["rawBytes"] = b64encode(other if i % 2 else raw[:i]).decode()
        write(signed, changed)
        with pytest.raises(ArtifactError) as refused:
            read_manifest(signed, signature_key=root.pem)
        assert "\n" not in str(refused.value)
