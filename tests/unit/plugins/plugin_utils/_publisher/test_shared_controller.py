# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache on a controller that others use as well: real links, real users, and advice that is run to the letter."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import cache as cache_file
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import folders, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web, files

CONTENT = b"as published" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SHA512 = hashlib.sha512(CONTENT).hexdigest()
PRECIOUS = "precious"
#: Users that no machine gives an account to.
USER, ATTACKER = 54321, 54322

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run without the proxies and the netrc of the machine."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder that every user can reach, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """Return a file of the user's that nothing may change."""
    file = tmp_path / "victim"
    file.write_text(PRECIOUS)
    file.chmod(0o600)
    yield file
    assert (file.read_text(), file.stat().st_mode & 0o777) == (PRECIOUS, 0o600)


def fetch(root: Path, **fields: object) -> bytes:
    """Return what a fetch through the cache at *root* brings."""
    with Web(files({"/tool": CONTENT})) as web:
        asset = Asset("tool", web.url + "/tool", **(fields or {"digests": {"sha256": SHA256}}))
        return Cache(root).fetch(asset, transport.session()).path.read_bytes()


def key_of(**fields: object) -> str:
    asset = Asset("tool", "", **(fields or {"digests": {"sha256": SHA256}}))
    return cache_file._Wanted(asset, 10**9).key


def refused(root: Path) -> ReleaseError:
    with pytest.raises(ReleaseError) as failure:
        fetch(root)
    return failure.value


def run_advice(error: ReleaseError) -> None:
    """Run the command that *error* names, as a person would paste it."""
    command = re.search(r":  (.+?)(?:  \(or |$)", error.fix or "")
    assert command, f"no command in: {error.fix}"
    subprocess.run(["sh", "-ec", command[1]], check=True, capture_output=True)


def acting_as(uid: int, act: Callable[[], object]) -> None:
    """Let *act* happen in a process of that user. An exception there is one here."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            act()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


FOLDERS = ["sha256", f"sha256/{SHA256[:2]}", "index", "locks", "partial"]


@pytest.mark.parametrize("folder", [".", *FOLDERS])
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_of_the_cache_that_others_can_write_is_refused_and_the_advice_helps(tmp_path, folder, mode):
    root = tmp_path / "it's a cache"
    fetch(root)
    shutil.rmtree(root / "sha256" / SHA256[:2])
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder).chmod(mode)
    error = refused(root)
    assert "can be written by other users" in error.what
    assert f"mode {mode:04o}" in error.found
    run_advice(error)
    assert fetch(root) == CONTENT


@as_root
@pytest.mark.parametrize("folder", [".", *FOLDERS])
def test_a_folder_of_the_cache_that_belongs_to_another_user_is_refused_and_the_advice_helps(tmp_path, folder):
    root = tmp_path / "cache"
    fetch(root)
    shutil.rmtree(root / "sha256" / SHA256[:2])
    (root / folder).mkdir(parents=True, exist_ok=True)
    os.chown(root / folder, ATTACKER, ATTACKER)
    error = refused(root)
    assert f"owner {ATTACKER}" in error.found
    run_advice(error)
    assert fetch(root) == CONTENT


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_of_the_cache_that_is_a_link_is_refused_and_the_advice_helps(tmp_path, folder):
    root, elsewhere = tmp_path / "cache", tmp_path / "elsewhere"
    fetch(root)
    shutil.rmtree(root / "sha256" / SHA256[:2])
    elsewhere.mkdir(mode=0o700)
    shutil.rmtree(root / folder, ignore_errors=True)
    (root / folder).symlink_to(elsewhere)
    error = refused(root)
    assert "is a link" in error.what
    assert list(elsewhere.iterdir()) == []
    run_advice(error)
    assert fetch(root) == CONTENT


def test_an_old_cache_that_was_open_to_all_is_mended_by_one_command(tmp_path):
    root = tmp_path / "cache"
    fetch(root)
    for folder in (root, *root.rglob("*")):
        folder.chmod(0o777)
    run_advice(refused(root))
    assert fetch(root) == CONTENT


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "link": lambda path, victim: path.symlink_to(victim),
    "hard link": lambda path, victim: path.hardlink_to(victim),
    "dangling link": lambda path, victim: path.symlink_to(victim.with_name("new")),
    "fifo": lambda path, victim: os.mkfifo(path),
    "link to a fifo": lambda path, victim: (os.mkfifo(victim.with_name("fifo")), path.symlink_to("../fifo")),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("folder", ["partial", "locks", "index", "sha256"])
def test_what_is_no_file_in_a_files_place_is_neither_read_nor_written(tmp_path, victim, folder, way):
    root = tmp_path / "cache"
    fetch(root)
    fields = {"digests": {"sha512": SHA512}} if folder == "index" else {"digests": {"sha256": SHA256}}
    name = {
        "partial": key_of(**fields),
        "locks": key_of(**fields)[:3],
        "index": f"sha512-{SHA512}",
        "sha256": f"{SHA256[:2]}/{SHA256}",
    }[folder]
    for path in (root / "sha256" / SHA256[:2] / SHA256, root / folder / name):
        if folder != "sha256" or path.name == SHA256:
            path.unlink(missing_ok=True)
    WAYS[way](root / folder / name, victim)
    assert fetch(root, **fields) == CONTENT
    assert not victim.with_name("new").exists()


@as_root
def test_a_file_of_another_user_is_not_believed_and_its_lock_holds_nobody_up(place):
    root = place / "cache"
    fetch(root)
    kept, lock = root / "sha256" / SHA256[:2] / SHA256, root / "locks" / key_of()[:3]
    os.chown(kept, ATTACKER, ATTACKER)
    os.chown(lock, ATTACKER, ATTACKER)
    with lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with Web(files({"/tool": CONTENT})) as web:
            asset = Asset("tool", web.url + "/tool", digests={"sha256": SHA256})
            found = Cache(root).fetch(asset, transport.session())
    assert len(web.questions) == 1
    assert found.path.stat().st_uid == os.geteuid()


@pytest.mark.parametrize("mode", [0o777, 0o770])
@pytest.mark.parametrize("above", ["above", "above/below"])
def test_a_folder_above_in_which_others_can_exchange_the_cache_is_refused_and_the_advice_helps(tmp_path, above, mode):
    root = tmp_path / "above" / "below" / "cache"
    fetch(root)
    (tmp_path / above).chmod(mode)
    error = refused(root)
    assert f"may write to {tmp_path / above}" in error.what
    run_advice(error)
    assert fetch(root) == CONTENT


def test_a_folder_above_in_which_each_may_only_change_what_is_theirs_is_as_good_as_any(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    assert fetch(tmp_path / "shared" / "cache") == CONTENT


@as_root
@pytest.mark.parametrize("mode", [0o755, 0o1777])
def test_a_folder_above_that_belongs_to_another_user_is_refused(place, mode):
    above = place / "above"
    acting_as(0, above.mkdir)
    os.chown(above, ATTACKER, ATTACKER)
    above.chmod(mode)
    error = refused(above / "cache")
    assert f"to whom {above} belongs" in error.what
    assert "PINNED_RELEASE_CACHE" in error.fix
    assert not (above / "cache").exists()


@as_root
@pytest.mark.parametrize("kind", ["a link", "a folder", "a folder with a link for a folder"])
def test_what_another_user_put_where_the_cache_will_be_is_refused(place, victim, kind):
    place.chmod(0o1777)
    root, bait = place / "cache", place / "bait"
    bait.mkdir(mode=0o700)

    def attack() -> None:
        if kind == "a link":
            root.symlink_to(bait)
        else:
            root.mkdir(mode=0o755)
        if kind == "a folder with a link for a folder":
            (root / "partial").symlink_to(bait)

    acting_as(ATTACKER, attack)
    refused(root)
    assert list(bait.iterdir()) == []


@as_root
def test_another_user_cannot_exchange_a_folder_that_is_being_made(place):
    """In a folder that all may write, the attacker makes, removes and links the cache as fast as possible."""
    place.chmod(0o1777)
    bait = place / "bait"
    bait.mkdir(mode=0o700)
    root = place / "cache"

    def attack() -> None:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            try:
                root.symlink_to(bait)
                root.unlink()
                root.mkdir()
                root.rmdir()
            except OSError:
                continue

    attacker = os.fork()
    if attacker == 0:
        try:
            os.setresuid(ATTACKER, ATTACKER, ATTACKER)
            attack()
        finally:
            os._exit(0)
    made = 0
    while os.waitpid(attacker, os.WNOHANG) == (0, 0):
        try:
            folder = folders.private_folder(root, "partial")
        except (ReleaseError, OSError):
            continue
        assert folder.stat().st_uid == os.geteuid()
        made += 1
    assert made or folders.private_folder(root)
    assert list(bait.iterdir()) == []


@as_root
def test_a_user_who_is_not_root_is_as_safe(place):
    home, root = place / "home", place / "home" / ".cache" / "pinned.release"
    home.mkdir()
    os.chown(home, USER, USER)

    def make() -> None:
        assert folders.private_folder(root, "partial") == root / "partial"
        assert root.parent.stat().st_mode & 0o777 == 0o700

    acting_as(USER, make)
    os.chown(root / "partial", ATTACKER, ATTACKER)

    def be_refused() -> None:
        with pytest.raises(ReleaseError) as failure:
            folders.private_folder(root, "partial")
        assert failure.value.fix.startswith(f"as root, run:  chown -R {USER} ")

    acting_as(USER, be_refused)


def test_a_link_of_ones_own_may_lead_to_the_cache(tmp_path):
    (tmp_path / "large disk").mkdir(mode=0o700)
    (tmp_path / "way").symlink_to("./large disk/../large disk")
    (tmp_path / "cache").symlink_to(tmp_path / "way")
    assert fetch(tmp_path / "cache") == CONTENT
    assert (tmp_path / "large disk" / "sha256").is_dir()


def test_links_that_never_end_are_an_error_of_the_cache(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert "could not be used" in refused(tmp_path / "a").what


LISTING = Answer(200, b"list", {"ETag": '"1"'})


@pytest.mark.parametrize("attack", ["folder of all", "folder is a link", "file is a link", "file is a fifo"])
def test_a_listing_is_neither_kept_nor_found_where_others_could_have_put_it(tmp_path, victim, attack):
    folder = tmp_path / "listings"
    with Web(lambda question: LISTING) as web:
        transport.session(cache_root=tmp_path).get(web.url)
        [kept] = folder.iterdir()
        copy = tmp_path / "copy"
        shutil.copy(kept, copy)
        if attack == "folder of all":
            folder.chmod(0o777)
        elif attack == "folder is a link":
            folder.rename(tmp_path / "elsewhere")
            folder.symlink_to(tmp_path / "elsewhere")
        else:
            kept.unlink()
            kept.symlink_to(copy) if attack == "file is a link" else os.mkfifo(kept)
        transport.session(cache_root=tmp_path).get(web.url)
    assert web.questions[1].headers["If-None-Match"] is None
    assert copy.read_bytes().endswith(b"\nlist")


@as_root
def test_a_listing_of_another_user_is_not_found(tmp_path):
    with Web(lambda question: LISTING) as web:
        transport.session(cache_root=tmp_path).get(web.url)
        [kept] = (tmp_path / "listings").iterdir()
        os.chown(kept, ATTACKER, ATTACKER)
        transport.session(cache_root=tmp_path).get(web.url)
    assert web.questions[1].headers["If-None-Match"] is None


@pytest.mark.parametrize(
    ("group", "members", "is_taken"),
    [("somebody", [], True), ("somebody", ["somebody"], True), ("somebody", ["other"], False), ("staff", [], False)],
)
def test_the_group_that_is_a_users_alone_may_write_above_the_cache(monkeypatch, group, members, is_taken):
    """Where the umask is 002, every folder that a user makes is such."""
    monkeypatch.setattr(folders.os, "geteuid", lambda: USER)
    monkeypatch.setattr(folders.pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name="somebody"))
    monkeypatch.setattr(folders.grp, "getgrgid", lambda gid: SimpleNamespace(gr_name=group, gr_mem=members))
    assert folders._is_own_group(USER) is is_taken
