# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With whose rights a check runs, what it may do, and what becomes of one that fails: real commands, real users."""

import os
import shutil
import tempfile
import time

import pytest
from ansible_collections.pinned.release.plugins.module_utils import check_command
from ansible_collections.pinned.release.plugins.module_utils.accounts import Account
from ansible_collections.pinned.release.plugins.module_utils.check_command import check
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import Program, ToolOrder
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import ALICE, only_root

SERVICE = Account("svc", ALICE, ALICE, (ALICE, 24100), "/home/svc")


@pytest.fixture(name="tree")
def _tree():
    """A tree that all users reach, with one program: hello."""
    top = tempfile.mkdtemp(dir="/tmp")
    os.chmod(top, 0o755)
    os.mkdir(os.path.join(top, "bin"))
    with open(os.path.join(top, "bin/hello"), "w") as file:
        file.write("#!/bin/sh\necho hello\n")
    os.chmod(os.path.join(top, "bin/hello"), 0o755)
    yield top
    shutil.rmtree(top)


def order(*command):
    return ToolOrder("hello", check=list(command), programs={"hello": Program("hello", "0" * 64, 1)})


def shell(script):
    return order("sh", "-c", script)


def failure(tree, script, account=None):
    with pytest.raises(ReleaseError) as failed:
        check(shell(script), tree, account)
    return failed.value


def test_tool_without_a_check_runs_nothing(tree):
    check(order(), os.path.join(tree, "nowhere"), None)


def test_program_of_the_tree_is_found_before_any_other(tree):
    check(shell('test "$(command -v hello)" = "$PWD/bin/hello" && test "$PWD" = {0}'.format(tree)), tree, None)
    check(order("hello"), tree, None)


def test_failing_check_says_its_status_and_the_end_of_what_it_printed(tree):
    error = failure(tree, "echo out; echo no such option >&2; exit 3")
    # Quoted, so that whoever runs it by hand runs the same.
    assert error.what == "hello: its check failed: sh -c 'echo out; echo no such option >&2; exit 3'"
    assert error.found == "exit status 3: out\nno such option"


def test_check_that_is_killed_fails(tree):
    assert failure(tree, "kill -9 $$").found == "exit status -9: it printed nothing"


def test_check_that_does_not_end_is_ended_with_all_it_started(tree, monkeypatch):
    monkeypatch.setattr(check_command, "TIMEOUT_S", 0.5)
    error = failure(tree, "(while :; do echo >> alive; sleep 0.05; done) & wait")
    assert "did not end" in error.what
    before = os.path.getsize(tree + "/alive")
    time.sleep(0.3)
    assert os.path.getsize(tree + "/alive") == before > 1


def test_daemon_that_a_check_leaves_behind_does_not_keep_us(tree):
    started = time.monotonic()
    check(shell("sleep 5 & exit 0"), tree, None)
    assert time.monotonic() - started < 4


def test_daemon_that_a_check_leaves_behind_cannot_flood_us(tree):
    started = time.monotonic()
    check(shell("timeout 5 yes & exit 0"), tree, None)
    assert time.monotonic() - started < 4


def test_check_that_closes_its_output_is_still_waited_for(tree):
    assert failure(tree, "exec >&- 2>&-; sleep 0.3; exit 4").found.startswith("exit status 4")


def test_of_a_check_that_prints_without_end_the_end_is_kept(tree):
    error = failure(tree, "head -c 3000000 /dev/zero | tr '\\0' x; echo end; exit 1")
    assert error.found.endswith("xend")
    assert len(error.found) < 600


def test_check_has_no_terminal_and_nothing_to_read(tree):
    check(shell('! tty -s && test -z "$(cat)" && ! (: < /dev/tty) 2>/dev/null'), tree, None)


@pytest.mark.parametrize(
    "script",
    ["touch new", "touch bin/hello", "chmod 700 bin/hello", "echo x >> bin/hello", "mv bin/hello x; mv x bin/hello"],
)
def test_check_that_changes_what_was_verified_is_refused(tree, script):
    error = failure(tree, script)
    assert "its check changed what was just verified" in error.what
    assert tree in error.expected


def test_check_that_only_reads_may_read_everything(tree):
    check(shell("cat bin/hello > /dev/null; find . > /dev/null"), tree, None)


def test_check_of_no_program_says_which_there_are(tree):
    with pytest.raises(ReleaseError, match="could not be started: hallo --version") as failed:
        check(order("hallo", "--version"), tree, None)
    assert "a program of hello (hello)" in failed.value.fix


@only_root
def test_check_runs_as_the_account_with_its_groups_and_no_other(tree):
    script = 'test "$(id -u) $(id -g) $(id -G)" = "24001 24001 24001 24100"'
    check(shell(script), tree, SERVICE)
    check(shell("! id -G | grep -qw 0"), tree, SERVICE)


@only_root
def test_check_of_an_account_cannot_become_root_again_or_write_the_tree(tree):
    check(shell("! touch new 2>/dev/null && ! touch bin/hello 2>/dev/null"), tree, SERVICE)
    check(shell("grep -q '^Uid:.24001.24001.24001.24001$' /proc/self/status"), tree, SERVICE)
    check(shell("grep -q '^CapEff:.0000000000000000$' /proc/self/status"), tree, SERVICE)


@only_root
def test_check_of_an_account_knows_nothing_of_our_environment(tree, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://user:password@proxy.example.org")
    monkeypatch.setenv("LC_ALL", "C")
    script = 'test "$HOME $USER $LOGNAME $LC_ALL" = "/home/svc svc svc C" && ! env | grep -q password'
    check(shell(script), tree, SERVICE)
    check(shell("env | grep -q password"), tree, None)


@only_root
def test_program_that_the_account_may_not_start_is_told_with_what_to_do(tree):
    os.chmod(os.path.join(tree, "bin/hello"), 0o700)
    check(order("hello"), tree, None)
    with pytest.raises(ReleaseError, match="could not be started") as failed:
        check(order("hello"), tree, SERVICE)
    assert failed.value.found == "Permission denied"
    assert failed.value.fix.startswith("let svc reach the root")


@only_root
def test_program_that_the_accounts_group_may_start_is_started(tree):
    os.chown(os.path.join(tree, "bin/hello"), 0, 24100)
    os.chmod(os.path.join(tree, "bin/hello"), 0o750)
    check(order("hello"), tree, SERVICE)
