"""What tells that a file has changed, and reading it."""

import os
from pathlib import Path

import pytest

from predictors.serving.mounted_file import read_bounded, stamp


def test_content_that_has_changed_in_place_is_told_even_if_its_times_were_set_back(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(b"old")
    before, times = stamp(path), path.stat()
    path.write_bytes(b"new")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert stamp(path) != before


def test_a_file_that_comes_and_goes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    gone = stamp(path)
    path.write_bytes(b"key")
    assert stamp(path) != gone
    path.unlink()
    assert stamp(path) == gone


def test_a_file_may_have_that_many_bytes_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5) == b"12345"
    with pytest.raises(ValueError, match="larger than 4 bytes"):
        read_bounded(path, 4)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="not a regular file"):
        read_bounded(tmp_path / "pipe", 5)
