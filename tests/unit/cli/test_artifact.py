"""`predictors artifact`: what cannot be packed or copied, and what is left of it."""

import shutil
from pathlib import Path
from typing import Any

import joblib
import pytest
from typer.testing import CliRunner

from predictors.cli.artifact import app
from predictors.serving.artifacts.manifest import read_manifest
from tests.unit.summarizer.gguf_writer import write_decoder


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def pack(*arguments: str | Path) -> Any:
    return run("pack", *arguments, "--version", "2")


@pytest.mark.llama
def test_a_gguf_file_in_the_directory_itself_is_packed_where_it_is(artifacts: Path, tmp_path: Path) -> None:
    file = Path(shutil.copy(next((artifacts / "summarizer").glob("*.gguf")), tmp_path / "mine.gguf"))
    result = pack(file, "-o", tmp_path, "--name", "My model")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "mine.gguf"]
    assert read_manifest(tmp_path)[0].name == "My model"
    assert run("verify", tmp_path).exit_code == 0


@pytest.fixture(scope="module")
def files(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that are not what they are said to be."""
    directory = tmp_path_factory.mktemp("files")
    (directory / "directory.gguf").mkdir()
    (directory / "text.gguf").write_text("not a model")
    (directory / "text.joblib").write_text("not a model")
    (directory / "half.joblib").write_bytes((artifacts / "iris/model.joblib").read_bytes()[:1000])
    shutil.copy(artifacts / "intent/model.joblib", directory / "intent.joblib")
    shutil.copy(artifacts / "iris/model.joblib", directory / "iris.joblib")
    sizes = {"embedding": 64, "feed_forward": 96, "heads": 4, "kv_heads": 2, "vocabulary": 32, "head_length": 16}
    whole = write_decoder(directory / "no-template.gguf", "llama", **sizes)
    (directory / "half.gguf").write_bytes(whole.read_bytes()[:-1000])
    return directory


TRUST = "--trust_artifact"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.joblib", "--kind", "iris", TRUST), "missing.joblib cannot be read: No such file or directory"),
        (("missing.gguf",), "missing.gguf cannot be read: No such file or directory"),
        (("directory.gguf",), "directory.gguf is not a file"),
        (("iris.joblib", "--kind", "iris"), "say --trust_artifact if you trust where it comes from"),
        (("text.joblib", "--kind", "iris", TRUST), "the joblib file cannot be read"),
        (("half.joblib", "--kind", "iris", TRUST), "the joblib file cannot be read"),
        (("intent.joblib", "--kind", "iris", TRUST), "not a Pipeline; the kind sklearn serves it"),
        (("iris.joblib", "--kind", "intent", TRUST), "intent serves a pipeline of TfidfVectorizer"),
        pytest.param(("text.gguf",), "text.gguf is not a GGUF file", marks=pytest.mark.llama),
        pytest.param(
            ("iris.joblib", "--kind", "summarizer"), "iris.joblib is not a GGUF file", marks=pytest.mark.llama
        ),
        pytest.param(("half.gguf",), "half.gguf is truncated", marks=pytest.mark.llama),
        pytest.param(("no-template.gguf",), "no-template.gguf has no chat template", marks=pytest.mark.llama),
    ],
)
def test_what_cannot_be_packed_is_refused_in_a_sentence_and_changes_nothing(
    arguments: tuple[str, ...], says: str, files: Path, artifacts: Path, tmp_path: Path
) -> None:
    taken = Path(shutil.copytree(artifacts / "iris", tmp_path / "taken"))
    for out in (taken, tmp_path / "free"):
        result = pack(files / arguments[0], *arguments[1:], "-o", out)
        assert (result.exit_code, result.stdout) == (1, "")
        (error,) = (line for line in result.stderr.splitlines() if not line.startswith("loading "))
        assert error.startswith("error: ")
        assert says in error
    assert list(tmp_path.iterdir()) == [taken]
    assert sorted(path.name for path in taken.iterdir()) == ["manifest.json", "model.joblib", "model.npz"]
    assert run("verify", taken).exit_code == 0


def test_a_joblib_file_that_is_not_trusted_is_never_loaded(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "trace",))

    joblib.dump(Bomb(), tmp_path / "model.joblib")
    arguments = (tmp_path / "model.joblib", "--kind", "iris", "-o", tmp_path / "out")
    assert pack(*arguments).exit_code == 1
    assert not (tmp_path / "trace").exists()
    assert pack(*arguments, TRUST).exit_code == 1
    assert (tmp_path / "trace").exists()


def test_export_of_what_is_not_intact_is_refused(artifacts: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(artifacts / "iris", tmp_path / "source"))
    (source / "model.npz").write_bytes(bytes((source / "model.npz").stat().st_size))
    result = run("export", source, tmp_path / "target")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: model.npz has the sha256 ")
    assert list((tmp_path / "target").iterdir()) == []


@pytest.mark.parametrize("command", ["digest", "export"])
def test_a_directory_without_an_artifact(command: str, tmp_path: Path) -> None:
    target = (tmp_path / "target",) if command == "export" else ()
    result = run(command, tmp_path / "none", *target)
    assert (result.exit_code, result.stdout) == (1, "")
    manifest = tmp_path / "none" / "manifest.json"
    assert result.stderr == f"error: {manifest}: there is no artifact here; train, fetch or pack an artifact first\n"
    assert list(tmp_path.iterdir()) == []


def test_export_where_nothing_can_be_written(artifacts: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "iris"
    result = run("export", artifacts / "iris", target)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: {target} cannot be written: Not a directory\n"
