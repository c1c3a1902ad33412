# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder becomes a mirror while readers read it, whatever ends the run, and nothing else in it is touched."""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin, GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publication import publication
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web, files
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.mirrored import Site, asset, given, sha256, tool

OLD, NEW = b"old" * 1000, b"new" * 2000
RELEASES = "/o/r/releases/download"
OLD_PATH, NEW_PATH = f"{RELEASES}/v1.0/tool.tar.gz", f"{RELEASES}/v2.0/tool.tar.gz"
OTHER_PATH = "/files/other.gz"


@pytest.fixture
def content() -> dict[str, bytes]:
    return {OLD_PATH: OLD, NEW_PATH: NEW, OTHER_PATH: b"other"}


@pytest.fixture
def web(content: dict[str, bytes]) -> Iterator[Web]:
    with Web(files(content)) as server:
        yield server


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def old(site: Site, web: Web, name: str = "releases.lock.json") -> GivenLock:
    tools = {"tool": tool(asset(web.url + OLD_PATH, OLD)), "other": tool(asset(web.url + OTHER_PATH, b"other"))}
    return given(site.folder / name, tools)


def new(site: Site, web: Web, name: str = "releases.lock.json") -> GivenLock:
    tools = {
        "tool": tool(asset(web.url + NEW_PATH, NEW), version="2.0"),
        "other": tool(asset(web.url + OTHER_PATH, b"other")),
    }
    return given(site.folder / name, tools)


def host(web: Web) -> str:
    return web.url.partition("://")[2]


def listed(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the digest of every file that any listing of the mirror names, by its path."""
    found = {}
    for path, text in files.items():
        folder, name = posixpath.split(path)
        if name == "PULP_MANIFEST":
            found.update(line.rsplit(",", 2)[:2] for line in text.decode().splitlines())
        elif name == "SHA256SUMS" or name.endswith(".sha256"):
            for line in text.decode().splitlines():
                digest, _spaces, listed_name = line.partition("  ")
                found[posixpath.join(folder, listed_name)] = digest
    return found


def assert_no_listing_lies(site: Site) -> None:
    if site.dest.exists():
        found = site.files()
        assert {path: sha256(found[path]) if path in found else None for path in listed(found)} == listed(found)


def test_mirror_has_assets_sums_and_manifest(site: Site, web: Web) -> None:
    site.mirror(old(site, web))
    folder = f"{host(web)}{RELEASES}/v1.0"
    found = site.files()
    assert sorted(found) == [
        *sorted(f"{host(web)}/files/{name}" for name in ("SHA256SUMS", "other.gz", "other.gz.sha256")),
        *sorted(f"{folder}/{name}" for name in ("SHA256SUMS", "tool.tar.gz", "tool.tar.gz.sha256")),
        "PULP_MANIFEST",
        "locks/releases.lock.json",
        *sorted(f"releases/other/1.0/{name}" for name in ("SHA256SUMS", "other.gz", "other.gz.sha256")),
    ]
    assert found[f"{folder}/tool.tar.gz"] == OLD
    assert found[f"{folder}/SHA256SUMS"].decode() == f"{sha256(OLD)}  tool.tar.gz\n"
    assert set(listed(found)) == set(found) - {"PULP_MANIFEST"}
    assert_no_listing_lies(site)


def test_asset_at_two_paths_is_on_the_disk_once(site: Site, web: Web) -> None:
    site.mirror(old(site, web))
    one, two = (site.dest / path for path in (f"{host(web)}/files/other.gz", "releases/other/1.0/other.gz"))
    assert one.stat().st_ino == two.stat().st_ino


def test_sums_are_those_that_sha256sum_takes(site: Site, web: Web) -> None:
    site.mirror(old(site, web))
    for name in ("SHA256SUMS", "tool.tar.gz.sha256"):
        folder = site.dest / f"{host(web)}{RELEASES}/v1.0"
        done = subprocess.run(["sha256sum", "-c", "--strict", name], cwd=folder, capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (0, b"tool.tar.gz: OK\n")


def test_second_run_fetches_and_writes_nothing(site: Site, web: Web) -> None:
    lock = old(site, web)
    first = site.mirror(lock)
    assert first.is_changed
    asked, seen = len(web.questions), times(site.dest)
    second = site.mirror(lock)
    assert (second.is_changed, second.before) == (False, second.after)
    assert (len(web.questions), times(site.dest)) == (asked, seen)


def times(folder: Path) -> dict[str, int]:
    """Return when each file and folder was changed last: a write shows in ctime, which no one can set."""
    return {str(path): path.lstat().st_ctime_ns for path in [folder, *folder.rglob("*")]}


def test_check_mode_foresees_all_of_it_and_touches_nothing(site: Site, web: Web) -> None:
    lock = old(site, web)
    foreseen = site.foreseen(lock)
    assert not site.dest.exists()
    assert web.questions == []
    assert site.mirror(lock) == foreseen
    lock = new(site, web)
    seen = times(site.dest)
    foreseen = site.foreseen(lock, prune=True)
    assert times(site.dest) == seen
    assert site.mirror(lock, prune=True) == foreseen


def test_only_what_lacks_is_fetched(site: Site, web: Web) -> None:
    site.mirror(old(site, web))
    site.mirror(new(site, web))
    assert sorted(web.paths) == sorted([OLD_PATH, OTHER_PATH, NEW_PATH])


def test_what_an_older_lock_file_named_stays_in_files_and_sums(site: Site, web: Web) -> None:
    site.mirror(old(site, web))
    site.mirror(new(site, web))
    found = site.files()
    assert f"{host(web)}{OLD_PATH}" in found
    assert f"{host(web)}{RELEASES}/v1.0/SHA256SUMS" in found
    assert f"{host(web)}{OLD_PATH}," in found["PULP_MANIFEST"].decode()
    assert_no_listing_lies(site)


def test_prune_removes_what_no_lock_file_names_and_empty_folders(site: Site, web: Web, tmp_path: Path) -> None:
    site.mirror(old(site, web))
    done = site.mirror(new(site, web), prune=True)
    fresh = Site(tmp_path / "fresh")
    fresh.mirror(new(site, web))
    assert site.files() == fresh.files()
    assert not (site.dest / f"{host(web)}{RELEASES}/v1.0").exists()
    assert f"{host(web)}{OLD_PATH}" in done.remove
    assert not site.mirror(new(site, web), prune=True).is_changed


def test_prune_keeps_what_any_given_lock_file_names(site: Site, web: Web) -> None:
    locks = old(site, web, "a.lock.json"), new(site, web, "b.lock.json")
    site.mirror(*locks)
    before = site.files()
    assert not site.mirror(*locks, prune=True).is_changed
    site.mirror(locks[1], prune=True)
    assert {path for path in before if path not in site.files()} == {
        *(f"{host(web)}{RELEASES}/v1.0/{name}" for name in ("SHA256SUMS", "tool.tar.gz", "tool.tar.gz.sha256")),
        "locks/a.lock.json",
    }


@pytest.mark.parametrize("prune", [False, True])
def test_list_of_lock_files_that_came_out_empty_removes_nothing(site: Site, web: Web, prune: bool) -> None:
    site.mirror(old(site, web))
    before = site.files()
    with pytest.raises(ReleaseError, match="lockfile names no lock file"):
        site.mirror(prune=prune)
    assert site.files() == before


@pytest.mark.parametrize("damage", [b"", b"other bytes", OLD[:-1], OLD + b"x", None])
def test_damaged_file_is_replaced(site: Site, web: Web, damage: bytes | None) -> None:
    lock = old(site, web)
    site.mirror(lock)
    whole = site.files()
    for path in whole:
        (site.dest / path).unlink()
        if damage is not None:
            (site.dest / path).write_bytes(damage)
    assert site.mirror(lock).is_changed
    assert site.files() == whole


def test_damaged_file_that_nothing_names_any_more_is_unpublished(site: Site, web: Web) -> None:
    site.mirror(old(site, web))
    (site.dest / f"{host(web)}{OLD_PATH}").write_bytes(b"damaged")
    done = site.mirror(new(site, web))
    assert done.damaged == (f"{host(web)}{OLD_PATH}",)
    assert f"{host(web)}{OLD_PATH}" not in site.files()
    assert_no_listing_lies(site)


def test_foreign_files_are_told_and_left_alone(site: Site, web: Web) -> None:
    site.mirror(old(site, web))
    place = site.dest / f"{host(web)}{RELEASES}/v1.0"
    (place / "NOTES").write_text("ours")
    (site.dest / "index.html").symlink_to("/etc/hostname")
    (site.dest / "other.sha256").symlink_to("/etc")
    done = site.mirror(new(site, web), prune=True)
    assert done.foreign == (f"{host(web)}{RELEASES}/v1.0/NOTES", "index.html", "other.sha256")
    assert (place / "NOTES").read_text() == "ours"
    assert (site.dest / "index.html").is_symlink()
    assert os.listdir(place) == ["NOTES"]


def test_foreign_file_in_the_place_of_an_asset_is_not_replaced(site: Site, web: Web) -> None:
    place = site.dest / f"{host(web)}{OLD_PATH}"
    place.parent.mkdir(parents=True)
    place.write_text("precious")
    with pytest.raises(ReleaseError, match="files that no run of mirror wrote are in its way"):
        site.mirror(old(site, web))
    assert place.read_text() == "precious"
    assert web.questions == []


def test_mirror_that_was_copied_without_its_record_is_taken_over(site: Site, web: Web) -> None:
    lock = old(site, web)
    site.mirror(lock)
    (site.dest / ".pinned.release/record.json").unlink()
    assert not site.mirror(lock).is_changed
    assert site.mirror(new(site, web), prune=True).remove


def test_repository_of_somebody_else_is_not_taken_over(site: Site, web: Web) -> None:
    site.dest.mkdir()
    (site.dest / "PULP_MANIFEST").write_text("a,b,c\n")
    with pytest.raises(ReleaseError, match="in its way") as caught:
        site.mirror(old(site, web))
    assert caught.value.found == "PULP_MANIFEST"


@pytest.mark.parametrize("depth", range(5))
def test_no_link_is_followed(site: Site, web: Web, tmp_path: Path, depth: int) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    steps = [host(web), *OLD_PATH.split("/")[1:]]
    link = site.dest.joinpath(*steps[: depth + 1])
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    with pytest.raises(ReleaseError, match="in the way of the mirror"):
        site.mirror(old(site, web))
    assert list(elsewhere.iterdir()) == []


def test_link_that_takes_the_place_of_a_new_folder_is_not_followed(
    site: Site, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may write in a folder of the mirror exchanges the one that was just made there."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    make = os.mkdir

    def make_and_lose(path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        make(path, mode, dir_fd=dir_fd)
        if dir_fd is not None and path == "releases":
            os.rmdir(path, dir_fd=dir_fd)
            os.symlink(private, path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", make_and_lose)
    with pytest.raises(ReleaseError, match="in the way of the mirror"):
        site.mirror(old(site, web))
    assert private.stat().st_mode & 0o777 == 0o700
    assert list(private.iterdir()) == []


def test_link_in_the_place_of_an_asset_is_not_followed(site: Site, web: Web, tmp_path: Path) -> None:
    site.mirror(old(site, web))
    (tmp_path / "elsewhere").write_text("precious")
    place = site.dest / f"{host(web)}{OLD_PATH}"
    place.unlink()
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReleaseError, match="in the way of the mirror"):
        site.mirror(old(site, web))
    assert (tmp_path / "elsewhere").read_text() == "precious"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_in_the_place_of_one_is_told(site: Site, web: Web, kind: str) -> None:
    place = site.dest / f"{host(web)}{OLD_PATH}"
    place.parent.mkdir(parents=True)
    place.mkdir() if kind == "folder" else os.mkfifo(place)
    with pytest.raises(ReleaseError, match="in the way of the mirror"):
        site.mirror(old(site, web))


def test_link_in_the_place_of_our_own_folder_is_refused(site: Site, web: Web, tmp_path: Path) -> None:
    site.dest.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (site.dest / ".pinned.release").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReleaseError, match="in the way of the mirror"):
        site.mirror(old(site, web))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_folder_that_the_user_leads_to_by_a_link_is_used(site: Site, web: Web, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    site.dest.symlink_to(tmp_path / "disk")
    site.mirror(old(site, web))
    assert (tmp_path / "disk/PULP_MANIFEST").is_file()


def test_servers_can_come_to_it_whatever_the_umask_is(site: Site, web: Web) -> None:
    before = os.umask(0o077)
    try:
        Site(site.folder / "srv/www").mirror(old(site, web))
    finally:
        os.umask(before)
    folders = ["srv", "srv/www", "srv/www/mirror"]
    assert [(site.folder / one).stat().st_mode & 0o777 for one in folders] == [0o755] * 3


def test_servers_can_read_all_of_it_whatever_the_umask_is(site: Site, web: Web) -> None:
    before = os.umask(0o077)
    try:
        site.mirror(old(site, web))
    finally:
        os.umask(before)
    for path in [site.dest, *site.dest.rglob("*")]:
        is_own = ".pinned.release" in path.parts
        expected = 0o755 if path.is_dir() else 0o644
        if path.name == ".pinned.release":
            assert path.stat().st_mode & 0o777 == 0o700
        elif not is_own:
            assert path.stat().st_mode & 0o777 == expected, path


@pytest.mark.parametrize("served", [b"WRONG!" * 1000, NEW[:-1], NEW + b"x", b"", None])
def test_wrong_bytes_are_never_published(
    site: Site, web: Web, content: dict[str, bytes], served: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    site.mirror(old(site, web))
    before = site.files()
    if served is None:
        del content[NEW_PATH]
    else:
        content[NEW_PATH] = served
    with pytest.raises(ReleaseError, match="tool"):
        site.mirror(new(site, web), prune=True)
    assert site.files() == before


def test_all_that_cannot_be_had_is_told_at_once(site: Site, web: Web, content: dict[str, bytes]) -> None:
    content.clear()
    with pytest.raises(ReleaseError, match="2 assets cannot be had") as caught:
        site.mirror(old(site, web))
    assert "tool.tar.gz" in str(caught.value)
    assert "other.gz" in str(caught.value)


def in_child(act: Callable[[], object]) -> int:
    """Return the exit status of a process that does it: 0, 1 for a ReleaseError, 9 if it was killed."""
    child = os.fork()
    if child == 0:
        status = 7
        try:
            act()
            status = 0
        except ReleaseError:
            status = 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(name: str, number: int) -> None:
    """Let this process end at the *number*-th call of a function of os."""
    real = getattr(os, name)
    calls = iter(range(1, 1000))

    def last(*arguments: Any, **options: Any) -> Any:
        if next(calls) == number:
            os._exit(9)
        return real(*arguments, **options)

    setattr(os, name, last)


@pytest.mark.parametrize("call", ["rename", "unlink", "fsync", "mkdir"])
def test_run_that_is_killed_anywhere_lies_to_nobody_and_is_finished_by_the_next(
    site: Site, web: Web, tmp_path: Path, call: str
) -> None:
    fresh = Site(tmp_path / "fresh")
    fresh.mirror(new(site, web))
    killed = 0
    for number in range(1, 60):
        here = Site(tmp_path / f"{call}{number}")
        here.folder.mkdir()
        here.mirror(old(site, web))
        lock = new(site, web)

        def converge(here: Site = here, lock: GivenLock = lock, number: int = number) -> None:
            killed_at(call, number)
            here.mirror(lock, prune=True)

        status = in_child(converge)
        assert_no_listing_lies(here)
        done = here.mirror(lock, prune=True)
        assert (here.files(), done.foreign) == (fresh.files(), ())
        if status == 0:
            break
        assert status == 9
        killed += 1
    assert killed >= 1


@pytest.mark.parametrize("call", ["rename", "link"])
def test_first_run_that_is_killed_leaves_nothing_foreign(site: Site, web: Web, tmp_path: Path, call: str) -> None:
    for number in range(1, 30):
        here = Site(tmp_path / str(number))
        here.folder.mkdir()
        lock = old(site, web)

        def begin(here: Site = here, lock: GivenLock = lock, number: int = number) -> None:
            killed_at(call, number)
            here.mirror(lock)

        status = in_child(begin)
        assert_no_listing_lies(here)
        assert here.mirror(lock).foreign == ()
        if status == 0:
            break
    assert number > 1
    assert status == 0


def test_full_disk_is_told_and_leaves_the_mirror_as_it_was(site: Site, web: Web) -> None:
    """A limit on the size of files is refused by the system in the same way, and needs no file system of its own."""
    site.mirror(old(site, web))
    before = site.files()
    large = b"large" * 100_000
    (site.folder / "large.gz").write_bytes(large)
    lock = given(site.folder / "large.lock.json", {"tool": tool(asset((site.folder / "large.gz").as_uri(), large))})
    site.assets.fetch(
        file.origin for file in publication([lock]).files.values() if isinstance(file.origin, AssetOrigin)
    )

    def converge() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        with pytest.raises(ReleaseError, match="cannot keep a mirror in") as caught:
            site.mirror(lock)
        assert caught.value.found == os.strerror(errno.EFBIG)

    assert in_child(converge) == 0
    assert site.files() == before
    assert site.mirror(lock).foreign == ()


def test_file_whose_pinned_bytes_changed_is_never_under_sums_that_name_others(site: Site, web: Web) -> None:
    """Somebody accepted a republished file; readers find no sums, or right ones, whenever the run ends."""
    republished = {OLD_PATH: b"first"}
    with Web(files(republished)) as other:
        for number in range(1, 40):
            here = Site(site.folder / str(number))
            here.folder.mkdir()
            republished[OLD_PATH] = b"first"
            path = here.folder / "releases.lock.json"
            here.mirror(given(path, {"tool": tool(asset(other.url + OLD_PATH, b"first"))}))
            republished[OLD_PATH] = b"republished"
            lock = given(path, {"tool": tool(asset(other.url + OLD_PATH, b"republished"))})

            def converge(here: Site = here, lock: GivenLock = lock, number: int = number) -> None:
                killed_at("rename", number)
                here.mirror(lock)

            def go_on(here: Site = here, lock: GivenLock = lock) -> None:
                killed_at("rename", 3)
                here.mirror(lock)

            status = in_child(converge)
            assert_no_listing_lies(here)
            in_child(go_on)
            assert_no_listing_lies(here)
            if status == 0:
                break
    assert number > 4
    assert here.files()[f"{host(other)}{OLD_PATH}"] == b"republished"


def test_two_runs_at_once_make_one_mirror(site: Site, web: Web) -> None:
    locks = [old(site, web, "a.lock.json"), new(site, web, "b.lock.json")]
    children = []
    for number in range(6):
        child = os.fork()
        if child == 0:
            status = 7
            try:
                site.mirror(locks[number % 2])
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 6
    assert_no_listing_lies(site)
    assert not site.mirror(*locks).is_changed
    assert {"locks/a.lock.json", "locks/b.lock.json"} <= set(site.files())


def test_reader_of_a_file_that_is_pruned_gets_all_of_it(site: Site, web: Web) -> None:
    large = hashlib.shake_128(b"large").digest(30_000_000)
    (site.folder / "large.gz").write_bytes(large)
    lock = given(site.folder / "large.lock.json", {"tool": tool(asset((site.folder / "large.gz").as_uri(), large))})
    site.mirror(lock)
    place = "releases/tool/1.0/large.gz"

    def answer(question: Question) -> Answer:
        return Answer(body=parts(site.dest / question.path[1:]))

    with Web(answer) as server:
        connection = HTTPConnection(server.url.partition("://")[2], timeout=20)
        connection.request("GET", f"/{place}")
        response = connection.getresponse()
        first = response.read(1000)
        site.mirror(old(site, web), prune=True)
        assert not (site.dest / place).exists()
        assert first + response.read() == large


def parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(65536), b"")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"record_version": 2, "files": {}}',
        '{"record_version": 1, "files": {"/etc/passwd": {"kind": "asset", "sha256": "%s", "size": 1}}}' % ("0" * 64),
        '{"record_version": 1, "files": {"../a": {"kind": "asset", "sha256": "%s", "size": 1}}}' % ("0" * 64),
        '{"record_version": 1, "files": {".pinned.release/lock": {"kind": "asset", "sha256": "%s", "size": 1}}}'
        % ("0" * 64),
        '{"record_version": 1, "files": {"a": {"kind": "other", "sha256": "%s", "size": 1}}}' % ("0" * 64),
    ],
)
def test_record_that_is_none_is_refused(site: Site, web: Web, text: str) -> None:
    site.mirror(old(site, web))
    (site.dest / ".pinned.release/record.json").write_text(text)
    with pytest.raises(ReleaseError, match=r"record\.json") as caught:
        site.mirror(old(site, web))
    assert "remove" in str(caught.value.fix)
