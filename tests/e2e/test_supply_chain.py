"""The commands of docs/supply-chain.md, and what a server does with what they made."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.test_cli import predictors
from tests.live import JSON, ROOT, serve, wait_for
from tests.signers import new_key

SIGNED = (ROOT / "docs/supply-chain.md").read_text("utf-8").partition("## Signed artifacts")[2].partition("\n## ")[0]
COMMANDS = re.findall(r"^```bash\n(.*?)^```", SIGNED, re.MULTILINE | re.DOTALL)
FLOWER = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'


@pytest.fixture(scope="module")
def folder(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands were run, one block after the other."""
    folder = tmp_path_factory.mktemp("signed")
    shutil.copytree(artifacts / "iris", folder / "iris-2")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for block in COMMANDS:
        command = ["bash", "-euo", "pipefail", "-c", block]
        result = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True)
        assert result.returncode == 0, f"{block}{result.stdout}{result.stderr}"
        assert result.stdout.count("intact") == 2 * block.count("artifact verify")
        assert result.stdout.count("model.sig" + " " * 32 + "valid") == block.count("artifact verify")
    return folder


def test_a_server_that_demands_a_signature(folder: Path, tmp_path: Path) -> None:
    """Of OpenSSF's tool, which signed last."""
    assert len(COMMANDS) == 2
    signed, key = folder / "iris-2", str(folder / "public.pem")
    with serve("iris", "--model_dir", str(signed), "--signature_key", key) as live:
        live.wait_ready()
        answer = httpx.post(f"{live.url}/v1/models/iris:predict", content=FLOWER, headers=JSON)
        assert answer.json()["labels"] == ["setosa"]


@pytest.mark.parametrize("case", ["unsigned", "otherwise signed"])
def test_a_server_refuses_the_rest_with_one_sentence(folder: Path, tmp_path: Path, case: str) -> None:
    copy = Path(shutil.copytree(folder / "iris-2", tmp_path / "iris"))
    key, reason = folder / "public.pem", "iris is not signed: it has no model.sig, which --signature_key demands"
    if case == "unsigned":
        (copy / "model.sig").unlink()
    else:
        key, reason = new_key(tmp_path).public, "model.sig was made with a key that is none of those in --signature_key"
    with serve("iris", "--model_dir", str(copy), env={"PREDICTORS_SIGNATURE_KEY": key.read_text()}) as live:
        wait_for(lambda: reason in httpx.get(f"{live.url}/ready").text, "the reason")
        assert httpx.get(f"{live.url}/v2/health/ready").status_code == 503
        answer = httpx.post(f"{live.url}/v1/models/iris:predict", content=FLOWER, headers=JSON)
        assert answer.status_code == 503
        assert live.terminate() == 0
    log = "".join(live.raw)
    assert log.count(reason) == 1
    assert "Traceback" not in log


def test_without_its_package_it_says_what_to_install(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cryptography.py").write_text("raise ModuleNotFoundError('gone', name='cryptography')\n")
    hidden = {**os.environ, "PYTHONPATH": str(tmp_path)}
    options = {
        "verify": ("--signature_key", folder / "public.pem"),
        "sign": ("--key", folder / "private.pem"),
    }
    for name, given in options.items():
        command = [sys.executable, "-m", "predictors", "artifact", name, str(folder / "iris-2"), *map(str, given)]
        result = subprocess.run(command, cwd=ROOT, env=hidden, capture_output=True, text=True)
        assert result.returncode == 1
        assert result.stderr.endswith("cryptography: install kserve-predictors[signing]\n")
        assert result.stderr.count("\n") == 1


def test_an_encrypted_key(folder: Path, tmp_path: Path) -> None:
    key = new_key(tmp_path, password=b"secret")
    copy = shutil.copytree(folder / "iris-2", tmp_path / "iris")
    command = ("artifact", "sign", str(copy), "--key", str(key.private))
    asked = predictors(*command)
    assert asked.returncode == 1
    assert asked.stderr == (
        "error: private.pem is encrypted: its password is needed: name a file that has it with --password_file\n"
    )
    (tmp_path / "password").write_text("secret\n")
    assert predictors(*command, "--password_file", str(tmp_path / "password")).returncode == 0
    assert predictors("artifact", "verify", str(copy), "--signature_key", str(key.public)).returncode == 0


def test_a_file_that_no_signature_covers_is_not_served(folder: Path, tmp_path: Path) -> None:
    arguments = ("serve", "summarizer", "--gguf", str(tmp_path / "model.gguf"))
    result = predictors(*arguments, "--signature_key", str(folder / "public.pem"))
    assert result.returncode == 2
    assert "--gguf names a file that no signature covers" in " ".join(result.stderr.replace("│", " ").split())


def test_an_empty_key_is_refused(artifacts: Path) -> None:
    """As a ConfigMap with an empty entry gives it."""
    result = predictors("serve", "iris", "--model_dir", str(artifacts / "iris"), "--signature_key=")
    assert result.returncode == 2
    assert "--signature_key: String should have at least 1 character" in result.stderr
