"""A shadow file that appears, changes and vanishes."""

import json
import os
from pathlib import Path

import pytest

from predictors.serving.shadow.plan import Plan
from predictors.serving.shadow.plan_file import PlanFile


def content(percent: int = 10, url: str = "http://iris") -> bytes:
    return json.dumps({"models": {"iris": {"url": url, "percent": percent}}}).encode()


def percent_of(file: PlanFile) -> float:
    return file.plan.models["iris"].percent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shadow.json"


def test_it_appears_changes_and_vanishes(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = PlanFile(path)
    assert (file.changed(), file.plan) == (False, Plan())
    path.write_bytes(content(10))
    assert (file.changed(), percent_of(file)) == (True, 10)
    assert not file.changed()
    path.write_bytes(content(25))
    assert (file.changed(), percent_of(file)) == (True, 25)
    path.unlink()
    assert (file.changed(), file.plan) == (True, Plan())
    assert not file.changed()
    assert not caplog.records


def test_it_is_replaced_as_kubelet_does(tmp_path: Path) -> None:
    """Through a symbolic link to a directory, which is swapped."""
    for name, percent in (("..v1", 10), ("..v2", 20)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shadow.json").write_bytes(content(percent))
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "shadow.json").symlink_to("..data/shadow.json")
    file = PlanFile(tmp_path / "shadow.json")
    assert (file.changed(), percent_of(file)) == (True, 10)
    (tmp_path / "..data_tmp").symlink_to("..v2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert (file.changed(), percent_of(file)) == (True, 20)
    (tmp_path / "..data").unlink()
    assert (file.changed(), file.plan) == (True, Plan())


def test_the_same_content_again_is_no_change(path: Path) -> None:
    path.write_bytes(content())
    file = PlanFile(path)
    assert file.changed()
    path.unlink()
    path.write_bytes(content())
    assert not file.changed()


@pytest.mark.parametrize(
    "wrong",
    [content()[:-9], b"", b"\x00\x01\xff" * 99, content(url="ftp://iris"), content(0), content() + b" " * 70_000, b"\xff\n" * 9],
)  # fmt: skip
def test_a_wrong_file_shadows_nothing_and_is_logged_once(
    path: Path, wrong: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(content())
    file = PlanFile(path)
    assert file.changed()
    path.write_bytes(wrong)
    assert (file.changed(), file.plan) == (True, Plan())
    assert not file.changed()
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("nothing is shadowed, since the shadow file cannot be used: ")
    assert record.getMessage().isprintable()
    path.write_bytes(content(30))
    assert (file.changed(), percent_of(file)) == (True, 30)
    assert len(caplog.records) == 1


def test_a_second_wrong_file_is_logged_too(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = PlanFile(path)
    for wrong in (b"{", b"[]"):
        path.write_bytes(wrong)
        assert not file.changed()
    assert len(caplog.records) == 2


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_opened(path: Path, make: object, caplog: pytest.LogCaptureFixture) -> None:
    make(path)  # type: ignore[operator]
    file = PlanFile(path)
    assert not file.changed()
    assert "it is not a regular file" in caplog.text


def test_a_loop_of_links_is_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.symlink_to(path)
    assert not PlanFile(path).changed()
    assert "symbolic links" in caplog.text
