from __future__ import annotations

import errno
from pathlib import Path

import pytest

from xinji.errors import OutputError
from xinji.io.atomic import atomic_file, atomic_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_a_file_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "new" / "plan.json") as fresh:
        assert fresh.suffix == ".json"
        fresh.write_text("1")
        assert not (tmp_path / "new" / "plan.json").exists()
    assert names(tmp_path) == ["new", "plan.json"]


def fill_and_stop(fresh: Path, stop: BaseException) -> None:
    fresh.write_text("half")
    raise stop


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), ValueError("x")])
def test_an_interrupt_leaves_the_old_file(tmp_path: Path, stop: BaseException) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")
    with pytest.raises(type(stop)), atomic_file(path) as fresh:
        fill_and_stop(fresh, stop)
    assert (path.read_text(), names(tmp_path)) == ("old", ["plan.json"])


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "No space left.*Free some space"), (errno.EIO, "Check the path and the disk")]
)
def test_a_disk_that_refuses_is_said_plainly(tmp_path: Path, code: int, words: str) -> None:
    path = tmp_path / "plan"
    with pytest.raises(OutputError, match=words), atomic_folder(path, marker="m") as fresh:
        fill_and_stop(fresh / "half", OSError(code, "refused"))
    assert names(tmp_path) == []


def test_a_path_below_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"), atomic_file(tmp_path / "file" / "plan.json"):
        pass


def test_a_folder_of_ours_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "region"
    for name in ("a", "b"):
        with atomic_folder(path, marker="region.toml") as fresh:
            (fresh / "region.toml").write_text(name)
            (fresh / name).write_text("")
    assert names(tmp_path) == ["b", "region", "region.toml"]


def test_an_interrupt_leaves_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "region"
    path.mkdir()
    (path / "region.toml").write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_folder(path, marker="region.toml") as fresh:
        fill_and_stop(fresh / "region.toml", KeyboardInterrupt())
    assert ((path / "region.toml").read_text(), names(tmp_path)) == ("old", ["region", "region.toml"])


def test_a_failed_swap_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "region"
    path.mkdir()
    (path / "m").write_text("old")
    replace = Path.replace

    def fail_once(self: Path, target: Path) -> Path:
        if self.name == "region" and target == path and (self / "new").exists():
            raise OSError(errno.ENOSPC, "full")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_once)
    with pytest.raises(OutputError, match="Nothing half-written"), atomic_folder(path, marker="m") as fresh:
        (fresh / "new").write_text("")
    assert ((path / "m").read_text(), names(tmp_path)) == ("old", ["m", "region"])


def test_a_strangers_folder_or_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "letter").write_text("")
    with pytest.raises(OutputError, match="not written by Xinji"), atomic_folder(tmp_path / "theirs", marker="m"):
        pass
    with pytest.raises(OutputError, match="in the way"), atomic_folder(tmp_path / "theirs" / "letter", marker="m"):
        pass
    with atomic_folder(tmp_path / "theirs", marker="m", overwrite=True) as fresh:
        (fresh / "m").write_text("")
    assert names(tmp_path) == ["m", "theirs"]
