"""What commands that write an artifact share."""

import os
import signal
from pathlib import Path

import pytest
import typer

from predictors.cli.writing import check_version, writing


def test_sigterm_ends_the_block_as_ctrl_c_does(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), writing(tmp_path):
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


def test_errors_of_the_file_system_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(typer.Exit), writing(tmp_path / "file"):
        (tmp_path / "file").mkdir()
    assert capsys.readouterr().err == f"error: {tmp_path / 'file'} cannot be written: File exists\n"


def test_an_error_without_a_number_gives_its_own_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), writing(tmp_path):
        raise OSError("the stream has ended")
    assert capsys.readouterr().err.split() == f"error: {tmp_path} cannot be written: the stream has ended".split()


@pytest.mark.parametrize("version", ["2", "2026-01-31", "v1.2_rc.3", "a" * 64])
def test_versions(version: str) -> None:
    check_version(version)


@pytest.mark.parametrize("version", ["", "a b", "a/b", "é", "a" * 65, "1\n"])
def test_versions_that_no_url_can_hold(version: str) -> None:
    with pytest.raises(typer.BadParameter):
        check_version(version)
