# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle has what its lock files pin, the same bytes each time, and is written only when something differs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._bundle import collection_archive, layout, writing
from ansible_collections.pinned.release.plugins.plugin_utils._bundle.collection_archive import CollectionArchive
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import GivenLock, Origin
from ansible_collections.pinned.release.tests.fakes.web import Web, files
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.bundled import Sender, members, wheel
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.mirrored import asset, given, sha256, tool

OLD, NEW, LARGE = b"old" * 1000, b"new" * 2000, b"large" * 500_000
OLD_PATH, NEW_PATH, LARGE_PATH = "/files/old.gz", "/files/new.gz", "/files/large.gz"
CONTENT = {OLD_PATH: OLD, NEW_PATH: NEW, LARGE_PATH: LARGE}


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(files(CONTENT)) as server:
        yield server


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    return Sender(tmp_path)


def lock(sender: Sender, web: Web, *paths: str, name: str = "releases.lock.json") -> GivenLock:
    return given(sender.folder / name, {f"t{path[7:10]}": tool(asset(web.url + path, CONTENT[path])) for path in paths})


def test_bundle_has_the_lock_file_and_each_asset_once(sender: Sender, web: Web) -> None:
    pinned = lock(sender, web, OLD_PATH, NEW_PATH)
    done = sender.write(pinned)
    found = members(sender.bundle)
    assets = sorted(f"assets/{sha256(content)}" for content in (OLD, NEW))
    assert list(found) == ["SHA256SUMS", "README", "locks/releases.lock.json", *assets]
    assert found["locks/releases.lock.json"] == pinned.text
    assert found[f"assets/{sha256(OLD)}"] == OLD
    assert done.is_changed
    assert done.sha256 == sha256(sender.bundle.read_bytes())


def test_tar_and_sha256sum_take_it(sender: Sender, web: Web) -> None:
    sender.write(lock(sender, web, OLD_PATH))
    folder = sender.folder / "out"
    folder.mkdir()
    subprocess.run(["tar", "-xf", str(sender.bundle)], cwd=folder, check=True)
    done = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, check=False)
    assert (done.returncode, done.stdout.count(b": OK\n")) == (0, 3)


def test_same_lock_makes_the_same_bytes_elsewhere(sender: Sender, web: Web, tmp_path: Path) -> None:
    other = Sender(tmp_path / "other")
    for one in (sender, other):
        one.write(lock(one, web, OLD_PATH, NEW_PATH))
    assert sender.bundle.read_bytes() == other.bundle.read_bytes()


def test_second_run_writes_and_asks_nothing(sender: Sender, web: Web) -> None:
    pinned = lock(sender, web, OLD_PATH)
    first = sender.write(pinned)
    asked, seen = len(web.questions), sender.bundle.stat()
    again = sender.write(pinned)
    assert not again.is_changed
    assert again.sha256 == first.sha256
    assert len(web.questions) == asked
    assert sender.bundle.stat().st_mtime_ns == seen.st_mtime_ns
    assert not sender.would_write(pinned).is_changed


def test_check_mode_says_the_same_and_writes_nothing(sender: Sender, web: Web) -> None:
    pinned = lock(sender, web, OLD_PATH)
    foreseen = sender.would_write(pinned)
    assert web.questions == []
    assert not sender.bundle.exists()
    done = sender.write(pinned)
    assert writing.result(sender.bundle, writing.Pinned({}), foreseen)["diff"]["after"] == done.after
    assert (foreseen.is_changed, foreseen.before, foreseen.after) == (True, done.before, done.after)


def test_another_lock_file_replaces_the_bundle(sender: Sender, web: Web) -> None:
    sender.write(lock(sender, web, OLD_PATH))
    assert sender.write(lock(sender, web, NEW_PATH)).is_changed
    assert f"assets/{sha256(OLD)}" not in members(sender.bundle)


def test_damaged_bundle_is_written_again(sender: Sender, web: Web) -> None:
    pinned = lock(sender, web, OLD_PATH)
    sender.write(pinned)
    whole = sender.bundle.read_bytes()
    sender.bundle.write_bytes(whole.replace(OLD, b"bad" * 1000))
    assert sender.write(pinned).is_changed
    assert sender.bundle.read_bytes() == whole


def test_a_new_bundle_has_the_mode_of_the_umask_and_one_that_is_there_keeps_its(sender: Sender, web: Web) -> None:
    before = os.umask(0o077)
    try:
        sender.write(lock(sender, web, OLD_PATH))
        assert sender.bundle.stat().st_mode & 0o777 == 0o600
        sender.bundle.chmod(0o640)
        sender.write(lock(sender, web, NEW_PATH))
    finally:
        os.umask(before)
    assert sender.bundle.stat().st_mode & 0o777 == 0o640


def test_a_file_that_is_no_bundle_is_not_replaced(sender: Sender, web: Web) -> None:
    sender.bundle.write_bytes(b"precious")
    with pytest.raises(ReleaseError, match="no bundle") as refused:
        sender.write(lock(sender, web, OLD_PATH))
    assert "move it away" in str(refused.value)
    assert sender.bundle.read_bytes() == b"precious"


def test_a_folder_is_refused_in_check_mode_as_well(sender: Sender, web: Web) -> None:
    sender.bundle.mkdir()
    pinned = lock(sender, web, OLD_PATH)
    for run in (sender.would_write, sender.write):
        with pytest.raises(ReleaseError, match="cannot read the bundle"):
            run(pinned)
    assert web.questions == []


def test_what_the_other_side_has_is_left_out(sender: Sender, web: Web) -> None:
    before = lock(sender, web, OLD_PATH, name="before.lock.json")
    now = lock(sender, web, OLD_PATH, NEW_PATH)
    written = sender.write(now, since=[before.lock])
    told = writing.result(sender.bundle, writing.pinned([now], [before.lock]), written)["notes"]
    assert told[0] == "left out what the other side has: 1 asset"
    assert [name for name in members(sender.bundle) if name.startswith("assets/")] == [f"assets/{sha256(NEW)}"]
    assert writing.pinned([now], [before.lock]).left_out == ("told 1.0: old.gz",)
    assert len([question for question in web.questions if question.path == OLD_PATH]) == 0


def test_an_asset_that_cannot_be_had_leaves_the_bundle_as_it_was(sender: Sender, web: Web) -> None:
    sender.write(lock(sender, web, OLD_PATH))
    seen = sender.bundle.read_bytes()
    gone = given(sender.folder / "gone.lock.json", {"gone": tool(asset(f"{web.url}/files/gone.gz", b"gone"))})
    with pytest.raises(ReleaseError, match="gone"):
        sender.write(gone)
    assert sender.bundle.read_bytes() == seen
    assert [path.name for path in sender.folder.iterdir() if path.name.startswith(".")] == []


class Lying(AssetBytes):
    """A cache that somebody changes after it was looked at."""

    def chunks(self, origin: object) -> Iterator[bytes]:
        yield OLD[::-1]


def test_bytes_that_change_meanwhile_are_not_carried(sender: Sender, web: Web) -> None:
    wanted = writing.BundleFile(sender.bundle, writing.pinned([lock(sender, web, OLD_PATH)]), has_controller=False)
    with pytest.raises(ReleaseError, match="was changed while the bundle was written"):
        wanted.write(Lying(sender.assets.cache, sender.assets.open_source))
    assert not sender.bundle.exists()


def unfinished(sender: Sender) -> list[Path]:
    return [path for path in sender.folder.iterdir() if path.name.startswith(f".{sender.bundle.name}.")]


@dataclass(frozen=True)
class Watched(AssetBytes):
    """A cache of which the last byte of an asset comes only after something *else* has happened."""

    meanwhile: Callable[[], object] = lambda: None

    def chunks(self, origin: Origin) -> Iterator[bytes]:
        """Yield the bytes, the last one by itself."""
        if isinstance(origin, bytes):
            yield origin
            return
        content = b"".join(super().chunks(origin))
        yield content[:-1]
        self.meanwhile()
        yield content[-1:]


def write_while(sender: Sender, pinned: GivenLock, meanwhile: Callable[[], object]) -> None:
    wanted = writing.BundleFile(sender.bundle, writing.pinned([pinned]), has_controller=False)
    wanted.write(Watched(sender.assets.cache, sender.assets.open_source, meanwhile=meanwhile))


@pytest.mark.parametrize("has_bundle", [False, True])
def test_what_a_killed_run_left_is_removed_by_the_next(sender: Sender, web: Web, has_bundle: bool) -> None:
    own, large = lock(sender, web, OLD_PATH), lock(sender, web, LARGE_PATH, name="large.lock.json")
    if has_bundle:
        sender.write(own)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            write_while(sender, large, lambda: os._exit(9))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = unfinished(sender)
    assert len(left) == 1
    (sender.folder / f".{sender.bundle.name}.original").write_bytes(b"of somebody")
    sender.would_write(own)
    assert left[0].exists()
    assert sender.write(own).is_changed is not has_bundle
    assert [path.name for path in unfinished(sender)] == [f".{sender.bundle.name}.original"]


def test_what_another_run_writes_is_not_removed(sender: Sender, web: Web) -> None:
    other = lock(sender, web, NEW_PATH, name="other.lock.json")
    write_while(sender, lock(sender, web, LARGE_PATH), lambda: sender.write(other))
    assert f"assets/{sha256(LARGE)}" in members(sender.bundle)
    assert unfinished(sender) == []


def test_bundle_in_a_folder_that_is_missing_is_refused_with_words(web: Web, tmp_path: Path) -> None:
    sender = Sender(tmp_path)
    pinned = lock(sender, web, OLD_PATH)
    wanted = writing.BundleFile(tmp_path / "missing/x.tar", writing.pinned([pinned]), has_controller=False)
    with pytest.raises(ReleaseError, match="cannot write the bundle"):
        wanted.write(sender.assets)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only one that pip knows, for requirements of one package; a collection of a few bytes."""
    folder = tmp_path / "index"
    folder.mkdir()
    wheel(folder, "little", "1.0", needs="inner")
    wheel(folder, "inner")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(writing.python_packages, "requirements", lambda: "# for this one\nlittle\n")
    made = CollectionArchive("pinned-release-0.1.0.tar.gz", b"the collection")
    monkeypatch.setattr(collection_archive, "archive", lambda: made)
    return folder


@pytest.mark.usefixtures("index")
def test_bundle_has_what_a_controller_needs_and_how_to_begin(sender: Sender, web: Web) -> None:
    done = sender.write(lock(sender, web, OLD_PATH), controller=True)
    found = members(sender.bundle)
    assert [name for name in found if name.startswith(layout.CONTROLLER)] == [
        "controller/pinned-release-0.1.0.tar.gz",
        "controller/requirements.txt",
        "controller/wheels/inner-1.0-py3-none-any.whl",
        "controller/wheels/little-1.0-py3-none-any.whl",
    ]
    assert b"collection install --offline controller/pinned-release-0.1.0.tar.gz" in found["README"]
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert f"    {python} -m venv venv".encode() in found["README"]
    notes = writing.result(sender.bundle, writing.Pinned({}), done)["notes"]
    assert notes[0] == "pip fetches the Python packages that a controller needs"
    assert notes[1].startswith("wrote 1 asset, ")


def test_wheels_stay_until_the_requirements_change(
    sender: Sender, web: Web, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = lock(sender, web, OLD_PATH)
    sender.write(pinned, controller=True)
    wheel(index, "little", "2.0", needs="inner")
    assert not sender.would_write(pinned, controller=True).is_changed
    assert not sender.write(pinned, controller=True).is_changed
    sender.write(lock(sender, web, NEW_PATH), controller=True)
    assert "controller/wheels/little-1.0-py3-none-any.whl" in members(sender.bundle)
    monkeypatch.setattr(writing.python_packages, "requirements", lambda: "# for another one\nlittle\n")
    assert sender.would_write(pinned, controller=True).is_changed
    sender.write(pinned, controller=True)
    assert "controller/wheels/little-2.0-py3-none-any.whl" in members(sender.bundle)


def test_packages_that_pip_cannot_have_are_told(sender: Sender, web: Web, index: Path) -> None:
    (index / "inner-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ReleaseError, match="pip cannot download") as failed:
        sender.write(lock(sender, web, OLD_PATH), controller=True)
    assert "inner" in str(failed.value)
    assert "controller: false" in str(failed.value)
    assert not sender.bundle.exists()
