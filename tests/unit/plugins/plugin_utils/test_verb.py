# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an action makes of an error, a bug, a warning and a secret, at every verbosity."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import traceback
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleFileNotFound
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._host.probe import Question
from ansible_collections.pinned.release.plugins.plugin_utils._values import secrets
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Assumed


@pytest.fixture
def shown(monkeypatch):
    """Return what Ansible shows with -vvv."""
    lines = []
    monkeypatch.setattr(Display(), "vvv", lines.append)
    return lines


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    """Know one secret."""
    monkeypatch.setattr(secrets, "_known", set())
    secrets.remember("hunter2")


def run(monkeypatch, act, verbosity=0):
    """Return the result of an action that does what *act* does."""
    monkeypatch.setattr(Display(), "verbosity", verbosity)

    class Tried(verb.Verb):
        def act(self, task_vars):
            return act()

    task = SimpleNamespace(async_val=0, check_mode=False, diff=False, delegate_to=None, args={}, action="tried")
    task.environment = None
    play_context = SimpleNamespace(check_mode=False)
    action = Tried(task, SimpleNamespace(_shell=SimpleNamespace(tmpdir="")), play_context, None, None, None)
    return action.run(task_vars={"inventory_hostname": "h1"})


def fail(error):
    raise error


def misread():
    return {}["hunter2"]


def test_what_a_task_inherited_from_ansible_is_not_looked_through_for_garbage(monkeypatch):
    def act():
        made = []
        looked_at = [id(one) for one in gc.get_objects()]
        return {"inherited": id(inherited) in looked_at, "made": id(made) in looked_at}

    inherited = []
    result = run(monkeypatch, act)
    gc.unfreeze()
    assert (result["inherited"], result["made"]) == (False, True)


def test_an_error_has_no_line_for_a_program_that_said_nothing(monkeypatch):
    result = run(monkeypatch, lambda: fail(ReleaseError("it failed", found="", fix="look")))
    assert result["msg"] == "it failed\n  to fix: look"


def test_an_error_is_the_result_without_its_places_unless_asked_for(monkeypatch):
    result = run(monkeypatch, lambda: fail(ReleaseError("no hunter2 here", fix="look")))
    assert result["failed"]
    assert result["msg"] == "no ******** here\n  to fix: look"
    assert result["diff"]["error"]["what"] == "no ******** here"
    assert "exception" not in result


@pytest.mark.parametrize("verbosity", [0, 2, 3, 5])
def test_a_bug_is_named_and_its_traceback_shown_when_asked_for(monkeypatch, verbosity):
    result = run(monkeypatch, misread, verbosity)
    assert result["failed"]
    assert "a bug in pinned.release ended the task: KeyError" in result["msg"]
    assert "hunter2" not in str(result)
    assert "-vvv" in result["diff"]["error"]["fix"]
    assert ("exception" in result) == (verbosity >= verb.VERBOSE)
    assert "in misread" in result.get("exception", "in misread")


def test_a_bug_that_became_an_error_has_its_traceback_too(monkeypatch):
    def act():
        try:
            misread()
        except KeyError as error:
            raise ReleaseError("could not be understood") from error

    result = run(monkeypatch, act, 3)
    assert "in misread" in result["exception"]
    assert "KeyError" in result["exception"]


def test_what_ansible_itself_raises_is_left_to_ansible(monkeypatch):
    with pytest.raises(AnsibleConnectionFailure):
        run(monkeypatch, lambda: fail(AnsibleConnectionFailure("unreachable")))


@pytest.mark.parametrize(("verbosity", "lines"), [(0, []), (2, []), (3, ["asked ********"])])
def test_what_packages_tell_is_shown_when_asked_for_without_secrets(monkeypatch, shown, verbosity, lines):
    run(monkeypatch, lambda: verb.LOG.debug("asked %s", "hunter2") or {}, verbosity)
    assert shown == lines


def test_warnings_are_in_the_result_each_once(monkeypatch, shown):
    def act():
        for _time in range(2):
            verb.LOG.warning("hunter2 has expired")
        return {"changed": False, "warnings": ["first"]}

    assert run(monkeypatch, act)["warnings"] == ["first", "******** has expired"]
    assert "warnings" not in run(monkeypatch, lambda: {"changed": False})
    assert shown == []


def test_a_failure_has_the_warnings_too(monkeypatch):
    def act():
        verb.LOG.warning("before")
        raise ReleaseError("failed")

    assert run(monkeypatch, act)["warnings"] == ["before"]


def test_a_file_that_is_nowhere_is_told_with_all_places_that_were_looked_at():
    def find(_folder, name):
        paths = [f"/role/files/{name}", f"/role/{name}", f"/play/./{name}", f"/play/{name}"]
        raise AnsibleFileNotFound(file_name=name, paths=paths)

    action = SimpleNamespace(_find_needle=find, _loader=SimpleNamespace(path_dwim=lambda name: f"/play/{name}"))
    with pytest.raises(ReleaseError, match=r"cannot read the lock file /play/my\.json") as missing:
        verb.found_file(action, "my.json")
    assert missing.value.found == "none at /role/files/my.json, nor at /role/my.json, nor at /play/my.json"
    with pytest.raises(ReleaseError, match=r"cannot read the manifest /play/my\.yml"):
        verb.found_file(action, "my.yml", "manifest")


@pytest.mark.parametrize(("given", "mode"), [("0755", 0o755), ("750", 0o750), (0o755, 0o755), ("g=rx,o=", 0o750)])
def test_a_mode_is_octal_or_symbolic(given, mode):
    assert verb.mode(given) == mode


@pytest.mark.parametrize(
    ("given", "found", "fix"),
    [
        (755, "1363: without quotes, YAML reads 755 as a decimal number", 'write it in quotes: mode: "0755"'),
        # YAML read 0777, and quotes would change nothing.
        (0o777, "0777", None),
        ("0777", "0777", None),
    ],
)
def test_a_mode_that_suits_no_program_is_told_with_the_quotes_that_are_missing(given, found, fix):
    with pytest.raises(ReleaseError, match="mode does not suit a program") as refused:
        verb.mode(given)
    assert (refused.value.found, refused.value.fix) == (found, fix)


def test_a_value_that_is_no_word_is_answered_with_the_known_ones_alone():
    message = "value of sbom must be one or more of: 1.6, 1.7. Got no match for: "
    assert verb._of_value(f"{message}1.8") == f"{message}1.8"
    words = "value of state must be one of: present, absent, got: "
    assert verb._of_value(f"{words}absnt") == f"{words}absnt; did you mean absent?"


def test_a_file_that_is_nowhere_is_told_with_the_nearest_name_in_these_places(tmp_path):
    (tmp_path / "pins.lock.json").touch()

    def find(_folder, name):
        raise AnsibleFileNotFound(file_name=name, paths=[f"/role/files/{name}", str(tmp_path / name)])

    action = SimpleNamespace(_find_needle=find, _loader=SimpleNamespace(path_dwim=lambda name: f"/play/{name}"))
    with pytest.raises(ReleaseError) as missing:
        verb.found_file(action, "pinz.lock.json")
    assert missing.value.found.endswith(f"nor at {tmp_path}/pinz.lock.json; did you mean pins.lock.json?")


def test_a_file_where_ansible_was_started_is_told_since_tasks_do_not_look_there(tmp_path, monkeypatch):
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks/my.json").touch()
    monkeypatch.chdir(tmp_path)

    def find(_folder, name):
        raise AnsibleFileNotFound(file_name=name, paths=[f"/play/files/{name}", f"/play/{name}"])

    action = SimpleNamespace(_find_needle=find, _loader=SimpleNamespace(path_dwim=lambda name: f"/play/{name}"))
    with pytest.raises(ReleaseError) as missing:
        verb.found_file(action, "locks/my.json")
    assert missing.value.fix.startswith(f"if {tmp_path}/locks/my.json is meant, give that whole path, or ")
    with pytest.raises(ReleaseError) as missing:
        verb.found_file(action, "locks/other.json")
    assert missing.value.fix.startswith("make it with pinned.release.lock, or ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_who_may_not_look_where_ansible_was_started_is_told_of_a_missing_file_as_well(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.chdir(tmp_path)

    def find(_folder, name):
        raise AnsibleFileNotFound(file_name=name, paths=[f"/play/{name}"])

    action = SimpleNamespace(_find_needle=find, _loader=SimpleNamespace(path_dwim=lambda name: f"/play/{name}"))
    try:
        os.seteuid(4321)
        with pytest.raises(ReleaseError, match=r"cannot read the lock file /play/my\.json"):
            verb.found_file(action, "my.json")
    finally:
        os.seteuid(0)


def test_what_the_option_assume_leaves_open_says_nothing():
    checked = dict.fromkeys(options.ASSUME)
    assert verb.assumed(None) == verb.assumed(checked) == Assumed()
    said = verb.assumed({**checked, "page_size": 4096, "libraries": ["libz.so.1"]})
    assert said == Assumed(page_size=4096, libraries=("libz.so.1",))
    assert list(said.said()) == ["libraries", "page_size"]


def test_lines_on_the_way_are_no_part_of_the_output_and_hold_no_secret(monkeypatch):
    lines = []
    monkeypatch.setattr(Display(), "display", lambda line, stderr: lines.append((line, stderr)))
    verb.tell("1 MB, hunter2")
    assert lines == [("1 MB, ********", True)]


def test_an_error_that_is_its_own_cause_is_told_once(monkeypatch):
    def act():
        try:
            raise ReleaseError("uv: no room")
        except ReleaseError as error:
            raise error.about("uv") from error

    result = run(monkeypatch, act, verbosity=3)
    assert result["exception"].count("ReleaseError, raised here") == 1


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"integrity": "ful"}, "full"),
        ({"state": "absnet"}, "absent"),
        ({"fetch_from": "contoller"}, "controller"),
        ({"unsupported": "skp"}, "skip"),
        ({"exact": "ture"}, "true"),
        ({"assume": {"glibz": "2.36"}}, "libc"),
        ({"asume": {}}, "assume"),
    ],
)
def test_an_option_or_a_value_that_is_nearly_one_is_named(given: dict[str, object], meant: str) -> None:
    checked = (spec := verb.reader(options.TOOLS)).validate(given)
    (error,) = checked.errors.errors
    told = verb._message(error, checked.unsupported_parameters, spec)
    assert told.endswith(f" did you mean {meant}?")


def test_a_value_that_is_neither_true_nor_false_is_told_in_few_words() -> None:
    checked = verb.reader(options.TOOLS).validate({"exact": "maybe"})
    assert verb._message(checked.errors.errors[0]) == "exact is neither true nor false: maybe"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"notify": "Restart it"}, "notify is no mapping of names to values"),
        ({"notify": ["Restart it"]}, "notify is no mapping of names to values"),
        ({"check": None}, "check is no mapping of names to values"),
        ({"tools": {"uv": "1.0"}}, "tools is no list"),
    ],
)
def test_a_value_of_another_shape_is_told_without_names_of_types(given: dict[str, object], told: str) -> None:
    """Whoever indents the keyword notify like an option gives it a text or a list."""
    checked = verb.reader(options.TOOLS).validate(given)
    assert [verb._message(error) for error in checked.errors.errors] == [told]


def rule(password):
    return f"mirrors:\n  - prefix: https://\n    to: https://mirror/\n    username: u\n    password: {password}\n"


@pytest.fixture
def of_the_site(tmp_path, monkeypatch):
    """Return what reads the mirrors of a site whose file has a text."""
    path = tmp_path / "mirrors.yml"
    monkeypatch.setenv("PINNED_RELEASE_MIRRORS", str(path))

    def read(text):
        path.write_bytes(text.encode())
        path.chmod(0o600)
        return verb.mirrors(SimpleNamespace(_loader=DataLoader()), None)

    return read


@pytest.mark.parametrize(
    "password", ['"S3CRET', "'S3CRET' x", "*S3CRET", "S3CRET: x", "@S3CRET", "{S3CRET", "!S3CRET x"]
)
def test_no_line_of_the_sites_mirrors_is_shown_where_they_are_no_yaml(of_the_site, password):
    """Ansible shows the line of a mistake, and the one before it."""
    with pytest.raises(ReleaseError, match=r"mirrors\.yml:\d is not YAML") as failure:
        of_the_site(rule(password))
    told = "".join(traceback.format_exception(failure.value))
    assert "S3CRET" not in told


def test_vault_of_the_sites_mirrors_is_named_where_it_stays_closed(of_the_site):
    with pytest.raises(ReleaseError, match=r"mirrors\.yml could not be decrypted") as failure:
        of_the_site("$ANSIBLE_VAULT;1.1;AES256\n6638\n")
    assert "vault" in failure.value.found


@pytest.mark.parametrize("text", ["", "mirrors:\n", "mirrors: {prefix: a}\n", "mirrors: x\n"])
def test_what_is_no_list_of_mirrors_is_told_in_words(of_the_site, text):
    """An emptied file must not lead to the internet what a site keeps from it."""
    with pytest.raises(ReleaseError, match=r"mirrors\.yml has no list of rules") as failure:
        of_the_site(text)
    assert failure.value.expected == "mirrors: [] for none"
    assert failure.value.found in ("nothing", "something else")


def test_mirrors_of_the_site_are_those_of_its_file(of_the_site):
    assert of_the_site("mirrors: []\n").rules == of_the_site("[]\n").rules == ()
    [found] = of_the_site(rule("hidden")).rules
    assert found.to == "https://mirror/"


def asked(question, shell=("sh", "/bin/sh"), environment=None):
    """Return the answer of this machine, whose commands are run by the *shell*: a family and a program."""
    family, program = shell

    def run_there(command, sudoable):
        done = subprocess.run([program, "-c", command], capture_output=True, text=True, check=True)
        return {"stdout": done.stdout, "stderr": done.stderr}

    action = SimpleNamespace(
        _connection=SimpleNamespace(become=None, _shell=SimpleNamespace(SHELL_FAMILY=family)),
        _compute_environment_string=lambda found: found.update(environment or {}),
        _low_level_execute_command=run_there,
    )
    return verb.ask(action, question)


@pytest.mark.parametrize(("named", "told"), [("python3.8", "python3.8"), ("no/python", "")])
def test_the_python_that_the_user_names_is_asked_for_in_the_environment_of_the_task(tmp_path, named, told):
    (tmp_path / "python3.8").write_text("#!/bin/sh\necho right\n")
    (tmp_path / "python3.8").chmod(0o755)
    environment = {"PATH": str(tmp_path)}
    assert asked(Question(ask="state", python=named), environment=environment).state.python == told
    assert asked(Question(ask="state", python="auto"), environment=environment).state.python.startswith("/")


@pytest.mark.parametrize("shell", [("fish", "fish"), ("csh", "tcsh"), ("csh", "sh"), ("sh", "bash")], ids=" ".join)
def test_every_shell_that_ansible_may_be_told_to_use_hands_the_question_on(shell):
    if shutil.which(shell[1]) is None:
        pytest.skip(f"{shell[1]} is not on this machine")
    question = Question(ask="state", root="/no/such 'root' $HOME \\ !", python="auto")
    assert asked(question, shell).state.root == question.root
