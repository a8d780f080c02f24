"""`predictors artifact sign`: sign an artifact."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from predictors.cli.console import fail, plain_errors
from predictors.cli.writing import writing

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


def sign(
    directory: Annotated[Path, typer.Argument(help="Artifact directory.")],
    key: Annotated[Path, typer.Option(help="Private key, PEM: an elliptic one on P-256, P-384 or P-521.")],
    certificate: Annotated[
        Path | None,
        typer.Option(help="The key's certificate, PEM, followed by those that lead from it to an authority."),
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password_file", help="File with the password of an encrypted key; asked for if omitted."),
    ] = None,
) -> None:
    """Sign an artifact: write model.sig, in OpenSSF's model-signing format.

    [bold]With a key[/bold], and serve what it signed alone:
      openssl ecparam -name prime256v1 -genkey -noout -out private.pem
      openssl ec -in private.pem -pubout -out public.pem
      predictors artifact sign iris-2 --key private.pem
      predictors serve iris --model_dir iris-2 --signature_key public.pem

    The artifact is verified first. To change anything in it is to sign it again.
    """
    from predictors.serving.errors import ArtifactError

    with plain_errors(ArtifactError), writing(directory):
        _import()
        from predictors.serving.artifacts.signature import SIGNATURE
        from predictors.serving.artifacts.signing import read_certificates, sign

        private = _read_key(key, password_file)
        sign(directory, private, [] if certificate is None else read_certificates(certificate, private))
    Console(soft_wrap=True, highlight=False).print(f"{directory / SIGNATURE} is written", markup=False)


def _import() -> None:
    try:
        import cryptography  # noqa: F401  # to say what is missing
    except ModuleNotFoundError:
        fail("to sign takes cryptography: install kserve-predictors[signing]")


def _read_key(path: Path, password_file: Path | None) -> "EllipticCurvePrivateKey":
    from predictors.serving.artifacts.signing import Encrypted, read_private_key

    if password_file is not None:
        return read_private_key(path, _password(password_file))
    try:
        return read_private_key(path)
    except Encrypted as error:
        if not sys.stdin.isatty():
            fail(f"{error}: name a file that has it with --password_file")
        return read_private_key(path, typer.prompt(f"Password of {path}", hide_input=True).encode())


def _password(path: Path) -> bytes:
    """Read a password; the end of its line is no part of it."""
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror or error}")
