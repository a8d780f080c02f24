"""Artifacts that take another's place, by training, packing or export, and what interrupts that."""

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from predictors.iris.model import IrisPredictor
from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.manifest import MANIFEST, read_manifest
from predictors.serving.artifacts.writing import export, replacing
from predictors.serving.errors import ArtifactError, ArtifactMissing
from predictors.serving.settings import Source
from tests.live import PATIENCE_SECONDS, ROOT


def ignore(size: int) -> None:
    """Do nothing about progress."""


def version(directory: Path) -> str:
    """The version of an iris artifact, which must load."""
    model = IrisPredictor("iris", Source(directory))
    model.load()
    return model.version


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def first(artifacts: Path) -> Path:
    return artifacts / "iris"


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another artifact with files of the same names."""
    from predictors.iris import train

    directory = tmp_path_factory.mktemp("second")
    trees, train.TREES = train.TREES, 3
    try:
        train.train(directory, "2")
    finally:
        train.TREES = trees
    return directory


def test_export_copies_what_the_manifest_names_and_nothing_else(first: Path, tmp_path: Path) -> None:
    source, target = Path(shutil.copytree(first, tmp_path / "source")), tmp_path / "a" / "b"
    (source / "notes.txt").write_text("not a part of it")
    sizes: list[int] = []
    umask = os.umask(0o077)
    try:
        assert export(source, target, sizes.append) == (read_manifest(first)[1], True)
    finally:
        os.umask(umask)
    manifest, _ = read_manifest(target)
    assert names(target) == sorted([MANIFEST, *(entry.name for entry in manifest.files)])
    for name in names(target):
        assert (target / name).read_bytes() == (first / name).read_bytes()
        assert (target / name).stat().st_mode & 0o777 == 0o644
    assert sum(sizes) == sum(entry.size_bytes for entry in manifest.files)
    assert version(target) == "1"


def test_exporting_again_writes_nothing(first: Path, tmp_path: Path) -> None:
    def written() -> dict[str, tuple[int, int]]:
        """Not the time of access, which reading changes."""
        found = {name: (tmp_path / name).stat() for name in names(tmp_path)}
        return {name: (each.st_ino, each.st_mtime_ns) for name, each in found.items()}

    export(first, tmp_path, ignore)
    before = written()
    assert export(first, tmp_path, ignore) == (read_manifest(first)[1], False)
    assert written() == before


def test_exporting_again_mends_what_is_damaged(first: Path, tmp_path: Path) -> None:
    export(first, tmp_path, ignore)
    (tmp_path / "model.npz").write_bytes(b"half")
    assert export(first, tmp_path, ignore)[1]
    assert version(tmp_path) == "1"


def test_another_artifact_takes_the_place_of_the_old_one(first: Path, second: Path, tmp_path: Path) -> None:
    export(first, tmp_path, ignore)
    assert export(second, tmp_path, ignore) == (read_manifest(second)[1], True)
    assert version(tmp_path) == "2"


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.write_bytes(bytes(path.stat().st_size)), r"model\.joblib has the sha256"),
        (lambda path: path.write_bytes(b"short"), r"model\.joblib has 5 bytes"),
        (Path.unlink, r"model\.joblib: the manifest names it, but it is missing"),
        (lambda path: (path.unlink(), path.mkdir()), r"model\.joblib is not a regular file"),
    ],
)
def test_a_source_that_is_not_intact_changes_nothing(
    damage: Callable[[Path], object], says: str, first: Path, second: Path, tmp_path: Path
) -> None:
    source, target = Path(shutil.copytree(second, tmp_path / "source")), tmp_path / "target"
    export(first, target, ignore)
    damage(source / "model.joblib")
    with pytest.raises(ArtifactError, match=says):
        export(source, target, ignore)
    assert names(target) == names(first)
    assert version(target) == "1"


def test_a_source_without_an_artifact_makes_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing, match="there is no artifact here"):
        export(tmp_path, tmp_path / "target", ignore)
    assert names(tmp_path) == []


def test_a_copy_that_is_not_what_was_read_is_refused(first: Path, tmp_path: Path) -> None:
    """As if the disk had lost a byte: the file is damaged as soon as it has been written."""

    def damage(size: int) -> None:
        (staged,) = tmp_path.glob(".new.*")
        for path in staged.iterdir():
            with path.open("r+b") as file:
                file.write(b"\0\0\0\0")

    with pytest.raises(ArtifactError, match=r"the copy is not intact: model\.npz has"):
        export(first, tmp_path, damage)
    assert names(tmp_path) == []


def test_an_interruption_leaves_the_old_artifact(first: Path, second: Path, tmp_path: Path) -> None:
    def interrupt(size: int) -> None:
        raise KeyboardInterrupt

    export(first, tmp_path, ignore)
    with pytest.raises(KeyboardInterrupt):
        export(second, tmp_path, interrupt)
    assert names(tmp_path) == names(first)
    assert version(tmp_path) == "1"


def test_what_is_killed_leaves_nothing_that_loads_and_can_be_done_again(first: Path, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from predictors.serving.artifacts.writing import export\n"
        "export(Path(sys.argv[1]), Path(sys.argv[2]), lambda size: os.kill(os.getpid(), signal.SIGKILL))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(first), str(tmp_path)], cwd=ROOT).returncode == -9
    with pytest.raises(ArtifactMissing):
        version(tmp_path)
    assert list(tmp_path.glob(".new.*"))
    assert export(first, tmp_path, ignore)[1]
    assert names(tmp_path) == names(first)
    assert version(tmp_path) == "1"


def test_a_folder_that_is_being_written_is_not_stale(tmp_path: Path) -> None:
    with replacing(tmp_path) as staging:
        (staging / MANIFEST).write_text("1")
        with replacing(tmp_path) as other:
            (other / MANIFEST).write_text("2")
    assert names(tmp_path) == [MANIFEST]
    assert (tmp_path / MANIFEST).read_text() == "1"


def test_without_locks_no_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    (tmp_path / ".new.other").mkdir()
    monkeypatch.setattr(fcntl, "flock", refuse)
    with replacing(tmp_path) as staging:
        (staging / MANIFEST).write_text("{}")
    assert names(tmp_path) == [".new.other", MANIFEST]


@pytest.mark.parametrize(("move", "loads"), [(1, False), (2, False), (3, False), (4, True)])
def test_a_kill_while_files_take_their_places_leaves_none_until_it_is_done_again(
    move: int, loads: bool, first: Path, second: Path, tmp_path: Path
) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from predictors.serving.artifacts import writing\n"
        "calls, replace = [], Path.replace\n"
        "def killed(path, target):\n"
        "    calls.append(target)\n"
        "    if len(calls) == int(sys.argv[3]): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return replace(path, target)\n"
        "Path.replace = killed\n"
        "writing.export(Path(sys.argv[1]), Path(sys.argv[2]), lambda size: None)"
    )
    export(first, tmp_path, ignore)
    command = [sys.executable, "-c", code, str(second), str(tmp_path), str(move)]
    assert subprocess.run(command, cwd=ROOT).returncode == (0 if loads else -9)
    if not loads:
        with pytest.raises(ArtifactMissing):
            version(tmp_path)
        assert export(second, tmp_path, ignore)[1]
    assert names(tmp_path) == names(second)
    assert version(tmp_path) == "2"


def test_the_directory_is_synced_without_a_manifest_and_with_the_new_one(
    first: Path, second: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(first, tmp_path, ignore)
    inode = tmp_path.stat().st_ino
    synced: list[bool] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == inode:
            synced.append((tmp_path / MANIFEST).exists())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    export(second, tmp_path, ignore)
    assert synced == [False, True]


def test_the_manifest_goes_first_and_comes_last(
    first: Path, second: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(first, tmp_path, ignore)
    moved: list[tuple[str, bool]] = []
    replace = Path.replace

    def watched(path: Path, target: Path) -> Path:
        moved.append((target.name, (tmp_path / MANIFEST).exists()))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    export(second, tmp_path, ignore)
    assert moved == [("model.joblib", False), ("model.npz", False), (MANIFEST, False)]


def test_one_at_a_time_may_replace_an_artifact(first: Path, second: Path, tmp_path: Path) -> None:
    export(first, tmp_path, ignore)
    descriptor = os.open(tmp_path, os.O_RDONLY)

    def lock(size: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    other = threading.Thread(target=export, args=(second, tmp_path, lock))
    other.start()
    other.join(1)
    assert other.is_alive()
    assert version(tmp_path) == "1"
    os.close(descriptor)
    other.join(PATIENCE_SECONDS)
    assert version(tmp_path) == "2"


def test_two_exports_at_once_leave_one_intact_artifact(first: Path, second: Path, tmp_path: Path) -> None:
    together = threading.Barrier(2)
    faults: list[str] = []
    for _ in range(10):
        pauses = [threading.Event(), threading.Event()]

        def advance(paused: threading.Event) -> Callable[[int], None]:
            def meet(size: int) -> None:
                if not paused.is_set():
                    paused.set()
                    together.wait(PATIENCE_SECONDS)

            return meet

        threads = [
            threading.Thread(target=export, args=(source, tmp_path, advance(paused)))
            for source, paused in zip((first, second), pauses, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        manifest, _ = read_manifest(tmp_path)
        faults += [fault for _, fault in Artifact(tmp_path, manifest).verify() if fault]
        assert names(tmp_path) == names(first)
        (tmp_path / MANIFEST).unlink()
    assert faults == []


def test_a_file_that_is_there_already_stays(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("kept")
    with replacing(tmp_path) as staging:
        (staging / MANIFEST).write_text("{}")
    assert names(tmp_path) == ["large", MANIFEST]
