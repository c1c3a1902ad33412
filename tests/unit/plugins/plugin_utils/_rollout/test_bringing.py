# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller gets what it brings to hosts: each asset once, from real servers, with credentials only if needed."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.bringing import Depot
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.delivery import Delivery, Way
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.fakes.github import FakeAsset, FakeGithub, FakeRelease
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web, files

PROGRAM = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(PROGRAM).hexdigest()
NAME = "tool-1.0-linux-x86_64"


def delivery(url: str, private_url: str = "", tool: str = "tool", is_offer: bool = False, **source: str) -> Delivery:
    asset = LockedAsset(
        name=NAME,
        url=url,
        size=len(PROGRAM),
        sha256=SHA256,
        format="bare",
        target="any",
        requires=Requirement("any", "any"),
        executables={},
        evidence=Evidence(),
        unpacked_size=len(PROGRAM),
        tree_sha256=SHA256,
        private_url=private_url,
    )
    return Delivery(tool, "1.0", asset, source or {"http": url}, is_offer)


def depot(
    folder: Path,
    token: str | None = None,
    told: Callable[[str], None] = lambda line: None,
    token_host: str | None = None,
) -> Depot:
    return Depot(folder / "cache", told, token=token, token_host=token_host)


def content(folder: Path, *wanted: Delivery, token: str | None = None, token_host: str | None = None) -> bytes:
    [file] = depot(folder, token, token_host=token_host).files(wanted, Way()).values()
    return file.path.read_bytes()


def host_of(url: str) -> str:
    return url.split("/")[2]


def start(work: Callable[..., object], *arguments: object) -> BaseProcess:
    """Return a process that does *work*, as one of Ansible's workers, and ends with status 0 only if that returns."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    return process


def status(process: BaseProcess) -> int | None:
    process.join(60)
    return process.exitcode


def fetch(folder: Path, wanted: Delivery) -> None:
    depot(folder).files([wanted], Way())


def find(folder: Path, wanted: Delivery) -> None:
    fetch(folder, wanted)
    assert "requests" not in sys.modules


def fetch_until_time_is_over(folder: Path, *wanted: Delivery) -> None:
    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 1)
    with contextlib.suppress(KeyboardInterrupt):
        depot(folder).files(wanted, Way())
        sys.exit("all of it came")


def fill_disk(folder: Path, wanted: Delivery) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    with pytest.raises(ReleaseError, match=f"tool: the cache could not be used at {folder}") as raised:
        fetch(folder, wanted)
    assert raised.value.found == "File too large"


def test_folder_that_is_not_here_is_replaced_by_the_cache(tmp_path: Path) -> None:
    """As where a bundle brought lock file and bytes: the folder is one of the other side."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / NAME).write_bytes(PROGRAM)
    wanted = delivery((folder / NAME).as_uri(), is_offer=True)
    fetch(tmp_path, replace(wanted, is_offer=False))
    assert depot(tmp_path).files([wanted], Way()) == {}, "the host reads it where it is"
    (folder / NAME).unlink()
    assert content(tmp_path, wanted) == PROGRAM


def test_forks_that_need_an_asset_at_the_same_time_fetch_it_once(tmp_path: Path) -> None:
    with Web(files({"/tool": PROGRAM})) as web:
        wanted = delivery(f"{web.url}/tool")
        workers = [start(fetch, tmp_path, wanted) for _worker in range(4)]
        assert [status(worker) for worker in workers] == [0] * 4
        assert content(tmp_path, wanted) == PROGRAM
    assert web.paths == ["/tool"]


def test_a_fork_that_waited_for_another_one_has_no_progress_to_tell(tmp_path: Path) -> None:
    # Not for the whole file: the next test sees that nothing loads it.
    from ansible_collections.pinned.release.plugins.plugin_utils._rollout.fetching import Fetcher

    told: list[str] = []
    seconds = itertools.count(step=10.0)
    with Web(files({"/tool": PROGRAM})) as web:
        wanted = delivery(f"{web.url}/tool")
        content(tmp_path, wanted)
        # As where the asset came after the cache was looked at.
        fetcher = Fetcher(tmp_path / "cache", ProgressReport(told.append, lambda: next(seconds)))
        assert fetcher.fetched([wanted])["tool"].sha256 == SHA256
    assert web.paths == ["/tool"]
    assert told == []


def test_what_is_there_needs_nothing_that_speaks_http(tmp_path: Path) -> None:
    with Web(files({"/tool": PROGRAM})) as web:
        wanted = delivery(f"{web.url}/tool")
        fetch(tmp_path, wanted)
        assert status(start(find, tmp_path, wanted)) == 0


def test_a_fork_that_is_killed_while_it_fetches_neither_blocks_nor_spoils(tmp_path: Path) -> None:
    is_asked, may_go_on = threading.Event(), threading.Event()

    def parts() -> Iterator[bytes]:
        yield PROGRAM[:300_000]
        is_asked.set()
        may_go_on.wait(30)
        yield PROGRAM[300_000:]

    served = files({"/tool": PROGRAM})
    with Web(lambda question: served(question) if is_asked.is_set() else Answer(200, parts())) as web:
        wanted = delivery(f"{web.url}/tool")
        killed = start(fetch, tmp_path, wanted)
        assert is_asked.wait(30)
        waiting = start(fetch, tmp_path, wanted)
        killed.kill()
        assert status(killed) == -signal.SIGKILL
        assert status(waiting) == 0
        may_go_on.set()
        assert content(tmp_path, wanted) == PROGRAM
    assert len(web.questions) == 2


@pytest.mark.parametrize("count", [1, 3])
def test_a_task_whose_time_is_over_waits_for_no_download(tmp_path: Path, count: int) -> None:
    may_go_on = threading.Event()

    def parts() -> Iterator[bytes]:
        yield PROGRAM[:300_000]
        may_go_on.wait(100)

    with Web(lambda question: Answer(200, parts())) as web:
        wanted = [delivery(f"{web.url}/{number}", tool=f"tool{number}") for number in range(count)]
        process = start(fetch_until_time_is_over, tmp_path, *wanted)
        assert status(process) == 0
        may_go_on.set()


def test_what_was_damaged_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    with Web(files({"/tool": PROGRAM})) as web:
        wanted = delivery(f"{web.url}/tool")
        [file] = depot(tmp_path).files([wanted], Way()).values()
        file.path.chmod(0o600)
        file.path.write_bytes(b"x" + PROGRAM[1:])
        assert content(tmp_path, wanted) == PROGRAM
        assert content(tmp_path, wanted) == PROGRAM
    assert web.paths == ["/tool", "/tool"]


def test_an_offer_is_what_the_cache_has_and_asks_nobody(tmp_path: Path) -> None:
    with Web(files({"/tool": PROGRAM})) as web:
        offered = delivery(f"{web.url}/tool", is_offer=True)
        assert depot(tmp_path).files([offered], Way()) == {}
        assert web.paths == []
        content(tmp_path, delivery(f"{web.url}/tool"))
        assert content(tmp_path, offered) == PROGRAM
    assert web.paths == ["/tool"]


def test_a_cache_that_cannot_be_used_is_no_reason_to_refuse_who_can_do_without(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    with Web(files({"/tool": PROGRAM})) as web:
        assert depot(tmp_path).files([delivery(f"{web.url}/tool", is_offer=True)], Way()) == {}
        with pytest.raises(ReleaseError, match="can be written by other users"):
            depot(tmp_path).files([delivery(f"{web.url}/tool")], Way())
    assert web.paths == []


def test_a_folder_of_the_controller_is_read_there(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(PROGRAM)
    assert content(tmp_path, delivery((tmp_path / NAME).as_uri(), directory=str(tmp_path))) == PROGRAM


def test_two_tools_with_the_same_asset_have_the_same_file(tmp_path: Path) -> None:
    with Web(files({"/tool": PROGRAM})) as web:
        wanted = [delivery(f"{web.url}/tool", tool=tool) for tool in ("a", "b")]
        found = depot(tmp_path).files(wanted, Way())
    assert found["a"].path == found["b"].path
    assert web.paths == ["/tool"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, bytes(len(PROGRAM))), "is not what it should be"),
        (Answer(200, PROGRAM + b"x"), "is not what it should be"),
        (Answer(404), "was not served"),
    ],
)
def test_an_error_names_the_tool_and_the_asset(tmp_path: Path, answer: Answer, words: str) -> None:
    with Web(lambda question: answer) as web, pytest.raises(ReleaseError, match=words) as raised:
        content(tmp_path, delivery(f"{web.url}/{NAME}"))
    assert raised.value.what.startswith("tool: ")
    assert NAME in raised.value.what


def test_a_full_disk_is_told_with_its_place(tmp_path: Path) -> None:
    with Web(files({"/tool": PROGRAM})) as web:
        assert status(start(fill_disk, tmp_path, delivery(f"{web.url}/tool"))) == 0


def test_an_error_of_the_controller_tells_what_the_host_said_before(tmp_path: Path) -> None:
    silence = ReleaseError("cannot download it", found="Connection refused")
    with Web(lambda question: Answer(404)) as web, pytest.raises(ReleaseError, match="was not served") as raised:
        depot(tmp_path).files([delivery(f"{web.url}/tool")], Way(unanswered=silence))
    assert raised.value.found == "HTTP status 404 Not Found; before, the host got no answer either: cannot download it"


@pytest.mark.parametrize(("shares_files", "told"), [(False, ["  … the controller sends 12.0 MB"]), (True, [])])
def test_what_takes_a_while_to_send_is_announced(tmp_path: Path, shares_files: bool, told: list[str]) -> None:
    large = bytes(12_000_000)
    (tmp_path / NAME).write_bytes(large)
    wanted = delivery((tmp_path / NAME).as_uri())
    of_it = replace(wanted.asset, size=len(large), sha256=hashlib.sha256(large).hexdigest())
    shown: list[str] = []
    depot(tmp_path, told=shown.append).files([replace(wanted, asset=of_it)], Way(shares_files=shares_files))
    assert shown == told


# Private assets

RELEASES = {"owner/tool": [FakeRelease("v1.0", [FakeAsset(NAME, PROGRAM)])]}


def of_github(github: FakeGithub) -> Delivery:
    asset = github._asset("owner/tool", RELEASES["owner/tool"][0], RELEASES["owner/tool"][0].assets[0])
    return delivery(asset["browser_download_url"], asset["url"], github="owner/tool", api_url=github.api_url)


def private_github() -> FakeGithub:
    return FakeGithub(RELEASES, private=frozenset({"owner/tool"}), tokens=frozenset({"S3CRET-token"}))


def test_a_private_asset_is_read_with_the_token_and_kept_for_all_hosts(tmp_path: Path) -> None:
    with private_github() as github:
        host = host_of(github.api_url)
        assert content(tmp_path, of_github(github), token="S3CRET-token", token_host=host) == PROGRAM
        asked = len(github.web.questions)
        assert content(tmp_path, of_github(github)) == PROGRAM
        assert len(github.web.questions) == asked
    assert [question.headers["Authorization"] for question in github.storage.questions] == [None]
    assert "S3CRET" not in repr(depot(tmp_path, "S3CRET-token"))


def test_the_token_of_the_environment_is_as_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_HOST", "127.0.0.1")
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "S3CRET-token")
    with private_github() as github:
        assert content(tmp_path, of_github(github)) == PROGRAM


def test_who_has_no_token_is_told_which_ones_would_do(tmp_path: Path) -> None:
    with private_github() as github, pytest.raises(ReleaseError, match=f"tool: {NAME} is private") as raised:
        content(tmp_path, of_github(github))
    assert "the option token" in str(raised.value.fix)


def test_a_token_that_is_not_accepted_is_named_and_not_shown(tmp_path: Path) -> None:
    with private_github() as github, pytest.raises(ReleaseError, match="tool: ") as raised:
        content(tmp_path, of_github(github), token="S3CRET-expired", token_host=host_of(github.api_url))
    assert raised.value.fix == "the server does not accept the option token: correct it"
    assert "S3CRET" not in str(raised.value)


def test_a_password_of_netrc_reads_what_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Web(lambda question: Answer(200, PROGRAM) if question.headers["Authorization"] else Answer(401)) as web:
        url = f"{web.url}/1.0/{NAME}"
        assert content(tmp_path, delivery(url, url, directory=f"{web.url}/")) == PROGRAM


def test_what_anybody_may_read_is_read_as_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_HOST", "127.0.0.1")
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "S3CRET-token")
    with Web(files({"/tool": PROGRAM})) as web:
        public = delivery(f"{web.url}/tool", github="owner/tool", api_url=web.url)
        assert content(tmp_path, public, token="S3CRET-token") == PROGRAM
    assert [question.headers["Authorization"] for question in web.questions] == [None]


@pytest.mark.parametrize("token_host", [None, "ghe.example.org"])
def test_lock_file_does_not_say_where_a_token_goes(tmp_path: Path, token_host: str | None) -> None:
    """Somebody who can edit it would otherwise be sent the token."""
    with private_github() as github:
        with pytest.raises(ReleaseError, match="a server that the task does not name") as raised:
            content(tmp_path, of_github(github), token="S3CRET-token", token_host=token_host)
        assert github.web.questions == []
        assert f"token_host: {host_of(github.api_url)}" in str(raised.value.fix)
        assert "S3CRET" not in str(raised.value)


def test_the_end_of_a_line_belongs_to_neither_token_nor_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of the token, where all is read from files: an empty one gives none."""
    with private_github() as github:
        host = host_of(github.api_url)
        assert content(tmp_path / "a", of_github(github), token="S3CRET-token\n", token_host=f"{host}\n") == PROGRAM
        monkeypatch.setenv("GH_HOST", "127.0.0.1")
        monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "S3CRET-token\r\n")
        assert content(tmp_path / "b", of_github(github), token="\n") == PROGRAM


def test_one_token_is_not_sent_to_two_servers(tmp_path: Path) -> None:
    wanted = [
        delivery("https://a.example.org/x", "https://a.example.org/y", "a", github="o/a", api_url="https://a.example"),
        delivery("https://b.example.org/x", "https://b.example.org/y", "b", github="o/b", api_url="https://b.example"),
    ]
    with pytest.raises(ReleaseError, match="would be sent to several servers"):
        depot(tmp_path, "S3CRET-token").files(wanted, Way())


@pytest.mark.parametrize(
    ("token", "token_host", "words"),
    [
        ("S3CRET-token", None, "a server that the task does not name"),
        ("S3CRET S3CRET", "127.0.0.1", "the option token has a space in it"),
    ],
)
def test_check_mode_tells_of_a_token_that_cannot_be_sent(
    tmp_path: Path, token: str, token_host: str | None, words: str
) -> None:
    with private_github() as github:
        host = token_host and host_of(github.api_url)
        with pytest.raises(ReleaseError, match=words) as raised:
            depot(tmp_path, token, token_host=host).foresee([of_github(github)])
        assert "S3CRET" not in str(raised.value)
        # A run in check mode, as of a pull request, needs no secrets.
        depot(tmp_path).foresee([of_github(github)])
        assert github.web.questions == []
        content(tmp_path, of_github(github), token="S3CRET-token", token_host=host_of(github.api_url))
        depot(tmp_path, token, token_host=host).foresee([of_github(github)])


def test_check_mode_tells_of_a_file_that_the_controller_has_not(tmp_path: Path) -> None:
    wanted = delivery((tmp_path / NAME).as_uri(), directory=str(tmp_path))
    with pytest.raises(ReleaseError, match=f"tool: {tmp_path / NAME} could not be read"):
        depot(tmp_path).foresee([wanted])
    with pytest.raises(ReleaseError, match=f"tool: {tmp_path / NAME} could not be read"):
        depot(tmp_path).foresee([], in_place=[wanted])
    with pytest.raises(ReleaseError, match=f"tool: {tmp_path / NAME} could not be read"):
        depot(tmp_path).foresee([replace(wanted, is_offer=True)])
    (tmp_path / NAME).write_bytes(PROGRAM)
    depot(tmp_path).foresee([wanted, replace(wanted, is_offer=True)], in_place=[wanted])
    assert not (tmp_path / "cache").exists()
    content(tmp_path, wanted)
    (tmp_path / NAME).unlink()
    depot(tmp_path).foresee([wanted, replace(wanted, is_offer=True)])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_what_only_root_may_look_at_is_left_to_root_who_reads_it_with_become(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / NAME).write_bytes(PROGRAM)
    offered = delivery((tmp_path / NAME).as_uri(), is_offer=True, directory=str(tmp_path))
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.setuid(4321)
            depot(tmp_path).foresee([offered])
            depot(tmp_path).foresee([], in_place=[offered])
            os._exit(len(depot(tmp_path).files([offered], Way(shares_files=True))))
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_check_mode_tells_of_a_cache_that_cannot_be_used(tmp_path: Path) -> None:
    wanted = delivery("http://127.0.0.1:9/tool")
    depot(tmp_path).foresee([wanted])
    (tmp_path / "cache").mkdir(mode=0o700)
    depot(tmp_path).foresee([wanted])
    (tmp_path / "cache").chmod(0o777)
    depot(tmp_path).foresee([replace(wanted, is_offer=True)])
    with pytest.raises(ReleaseError, match="can be written by other users"):
        depot(tmp_path).foresee([wanted])
