"""Files of events: their size, their number, and what goes wrong with disks."""

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from predictors.serving.request_log.event import Event
from predictors.serving.request_log.file_sink import FileSink
from predictors.serving.request_log.sink import SinkError

MIB = 2**20


def event(name: str = "a", size: int = 0) -> Event:
    return Event({"id": name}, json.dumps("x" * size).encode())


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_bytes().splitlines()]


def new_sink(path: Path, max_files: int = 3) -> FileSink:
    return FileSink(path, MIB, max_files)


def test_lines_are_appended_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    new_sink(path).write([event("a"), event("b")])
    new_sink(path).write([event("c")])
    assert ids(path) == ["a", "b", "c"]


def test_only_the_owner_and_the_group_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    before = os.umask(0)
    try:
        new_sink(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_full_files_are_kept_up_to_a_number(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    sink = new_sink(path)
    for name in "abcde":
        sink.write([event(name, MIB // 2 + 1)])
    assert {each.name: ids(each) for each in tmp_path.iterdir()} == {
        "log.jsonl": ["e"],
        "log.jsonl.1": ["d"],
        "log.jsonl.2": ["c"],
    }


def test_a_single_file_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    sink = new_sink(path, max_files=1)
    for name in "abc":
        sink.write([event(name, MIB // 2 + 1)])
    assert [each.name for each in tmp_path.iterdir()] == ["log.jsonl"]
    assert ids(path) == ["c"]


def test_many_events_at_once_keep_to_the_size(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    sink = new_sink(path, max_files=100)
    sink.write([event(str(i), 50_000) for i in range(100)])
    files = [*tmp_path.iterdir()]
    assert max(each.stat().st_size for each in files) <= MIB
    assert sorted((name for each in files for name in ids(each)), key=int) == [str(i) for i in range(100)]


def test_a_line_that_is_larger_than_a_file_has_one_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    sink = new_sink(path)
    for name, size in (("a", 1), ("b", 2 * MIB), ("c", 1)):
        sink.write([event(name, size)])
    assert [ids(path.with_name(name)) for name in ("log.jsonl.2", "log.jsonl.1", "log.jsonl")] == [["a"], ["b"], ["c"]]


def test_a_file_that_is_moved_or_removed_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    sink = new_sink(path)
    sink.write([event("a")])
    path.rename(tmp_path / "moved")
    sink.write([event("b")])
    assert ids(path) == ["b"]
    path.unlink()
    sink.write([event("c")])
    assert ids(path) == ["c"]


def test_a_directory_that_vanishes_is_an_error_until_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "volume" / "log.jsonl"
    path.parent.mkdir()
    sink = new_sink(path)
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(SinkError, match="cannot be written: No such file or directory") as caught:
        sink.write([event("a")])
    assert caught.value.taken == 0
    path.parent.mkdir()
    sink.write([event("b")])
    assert ids(path) == ["b"]


def test_a_disk_that_fills_up_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.jsonl"
    sink = new_sink(path)
    sink.write([event("a")])
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:10]))
        with pytest.raises(SinkError, match="No space left on device"):
            sink.write([event("b")])
    sink.write([event("c")])
    assert ids(path) == ["a", "c"]


def test_what_was_written_before_a_fault_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.jsonl"
    sink = new_sink(path, max_files=2)
    replace = Path.replace

    def refuse(self: Path, target: Any) -> Any:
        raise PermissionError(1, "")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(SinkError, match="Operation not permitted") as caught:
        sink.write([event(str(i), 150_000) for i in range(10)])
    assert [str(i) for i in range(caught.value.taken)] == ids(path)
    assert 0 < caught.value.taken < 10
    monkeypatch.setattr(Path, "replace", replace)
    sink.write([event("later", 700_000)])
    assert ids(path) == ["later"]


@pytest.mark.parametrize("kind", ["directory", "pipe", "missing", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log.jsonl"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)  # to open it would wait for a reader
    elif kind == "device":
        path = Path("/dev/null")
    else:
        path = tmp_path / "missing" / "log.jsonl"
    refused: list[OSError] = []

    def make() -> None:
        try:
            new_sink(path)
        except OSError as error:
            refused.append(error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    thread.join(60)
    assert refused
