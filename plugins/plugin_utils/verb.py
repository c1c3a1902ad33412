# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does an action put the one question to a host, read its options, and fail? On the controller."""

from __future__ import annotations

import gc
import logging
import os
import re
import shlex
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from ansible.errors import AnsibleError, AnsibleFileNotFound, AnsibleParserError
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import AnsibleValidationError, UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.options import MIRRORS
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._lock import user_files
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import Mirrors, site_file
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import read as read_mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import shared_tree
from ansible_collections.pinned.release.plugins.plugin_utils._values.failed_result import failed_result
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Assumed
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import nearest, question
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import without_secrets
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import printable
from ansible_collections.pinned.release.plugins.plugin_utils._values.yaml_text import read_yaml

Part = TypeVar("Part")
#: From this verbosity on (-vvv), each question and answer is told, and where in the code an error comes from.
VERBOSE = 3
#: What all packages tell of their work. Ansible shows it: with -vvv, and warnings always.
LOG = logging.getLogger("pinned.release")
#: The option by which a playbook says that it tells at its end what became of all hosts: results may leave that out.
BRIEF = "_brief"
#: Whether somebody sees what is drawn. Asked where this is imported, for all hosts: the workers have no terminal.
HAS_TERMINAL = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
_OCTAL = re.compile(r"(0o?)?[0-7]{3,4}\Z")
_FOLDER = re.compile(r"(/|~/)[^\x00-\x1f\x7f]+\Z")


class _ToAnsible(logging.Handler):
    """Hands on what is told while it is attached. Warnings are collected, each once, for the result."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: dict[str, None] = {}

    def __enter__(self) -> _ToAnsible:
        LOG.propagate = False
        LOG.setLevel(logging.DEBUG if Display().verbosity >= VERBOSE else logging.WARNING)
        LOG.addHandler(self)
        return self

    def __exit__(self, *_exception: object) -> None:
        LOG.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Collect a warning; show anything else at ``-vvv``. Secrets are taken out of both."""
        text = fit(self.format(record))
        if record.levelno >= logging.WARNING:
            self.warnings[text] = None
        else:
            Display().vvv(text)


class Verb(ActionBase):
    """What every action of this collection is: it may be tried in check mode, and fails in words to act on."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of act() for Ansible, or the failure that its error describes."""
        # This process is a copy of Ansible's, for one task. To look for garbage through all that it inherited costs as
        # much as the rest of what is done here for a host with nothing to do: Linux copies each page that is touched.
        gc.freeze()
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        with _ToAnsible() as told:
            try:
                result.update(fit(self.act(variables)))
            except AnsibleError:
                raise  # says by itself what is wrong, and whether the host is unreachable
            except Exception as error:
                is_brief = bool(self._task.args.get(BRIEF))
                result.update(_failed(error, is_brief=is_brief))
                if is_brief and self._task.failed_when:
                    # The playbook lets it fail. Ansible then prints one error for all hosts, whatever their messages.
                    result["failed"] = False
        if told.warnings:
            result["warnings"] = [*result.get("warnings", ()), *told.warnings]
        return result

    def host(self, task_vars: Mapping[str, Any]) -> str:
        """Return the name of the host that the task is about."""
        return str(self._task.delegate_to or task_vars.get("inventory_hostname", "localhost"))

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the result of the verb. Raises ReleaseError for what the user can act on; anything else is a bug."""
        raise NotImplementedError


def _failed(error: Exception, *, is_brief: bool) -> dict[str, Any]:
    """Return the result for *error*; one that is no ReleaseError is a bug of ours."""
    known = error if isinstance(error, ReleaseError) else _bug(error)
    failed: dict[str, Any] = fit(failed_result(known, is_brief=is_brief and not Display().verbosity))
    return {**failed, "exception": fit("".join(_places(error)))} if Display().verbosity >= VERBOSE else failed


def _bug(error: Exception) -> ReleaseError:
    """Return what to say of an *error* that nobody foresaw. Its message is left out: it may hold a secret."""
    return ReleaseError(
        f"a bug in pinned.release ended the task: {type(error).__name__}",
        fix="report it, with what the same task prints with -vvv",
    )


def _places(error: BaseException | None) -> Iterator[str]:
    """Yield where *error* was raised, and what caused it: places and types, no messages, which may hold a secret.

    An error that is raised again from itself is its own cause.
    """
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield f"{type(error).__name__}, raised here:\n"
        yield from traceback.format_tb(error.__traceback__)
        error = error.__cause__


def fit(value: Any) -> Any:
    """Return *value* fit for terminals and reports: without secrets, and without what controls either of them."""
    if isinstance(value, str):
        return printable(without_secrets(value), besides="\n\t")
    if isinstance(value, Mapping):
        return {fit(key): fit(part) for key, part in value.items()}
    return [fit(part) for part in value] if isinstance(value, (list, tuple)) else value


def tell(line: str) -> None:
    """Show *line* at once, while the task runs. The output may be one for machines, so it is no part of that."""
    Display().display(fit(line), stderr=True)


def progress() -> ProgressReport:
    """Return what tells how far a task is that runs once, whatever the number of hosts: by a bar on a terminal."""
    return ProgressReport(tell, draw=_draw if HAS_TERMINAL else None)


def _draw(line: str) -> None:
    """Show *line* in place of the one drawn before. It takes no more of a terminal than to return to its left."""
    width = Display().columns - 1
    Display().display(f"\r{fit(line)[:width].ljust(width)}\r", stderr=True, screen_only=True, newline=False)


def reader(spec: Mapping[str, Any], **rules: Any) -> ArgumentSpecValidator:
    """Return what options() reads by. Make it where a module is imported: Ansible then does it once for all hosts.

    Options that begin with an underscore are not for playbooks, and unknown here. *rules* are what else AnsibleModule
    takes (``required_if`` and so on).
    """
    return ArgumentSpecValidator({name: option for name, option in spec.items() if not name.startswith("_")}, **rules)


#: What Ansible says of a value that is none of an option's.
_NO_CHOICE = re.compile(r"must be one (?:or more )?of: (.+?)[,.] [Gg]ot(?: no match for)?: (\S+)")
_NO_SHAPE = re.compile(r"argument '([^']*)' is of type .*? and we were unable to convert to (dict|list):")
_SHAPES = {"dict": "mapping of names to values", "list": "list"}
_NO_SWITCH = re.compile(r"argument '([^']*)' is of type .*? to bool: The value '([^']*)' is not a valid boolean")

#: What the site's file of mirrors may say.
_SITE = reader({"mirrors": {**MIRRORS["mirrors"], "required": True}})


def options(action: ActionBase, spec: ArgumentSpecValidator, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the task's options, or those that are *given* in their place, checked and converted as a module would.

    Raises ReleaseError with all that is wrong, in one line.
    """
    checked = spec.validate(dict(action._task.args if given is None else given))
    if checked.error_messages:
        messages = [_message(error, checked.unsupported_parameters, spec) for error in checked.errors.errors]
        raise ReleaseError("; ".join(messages), fix=f"see ansible-doc {action._task.action}")
    parameters: dict[str, Any] = checked.validated_parameters
    return parameters


def refuse_empty(given: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise ReleaseError if one of the options with these *names* is "": as a path, that would be the folder of a play.

    It comes from a variable that has nothing in it.
    """
    for name in names:
        if given[name] == "":
            raise ReleaseError(f"the option {name} is empty", fix="see where its value comes from")


def _message(
    error: AnsibleValidationError, unsupported: Iterable[object] = (), spec: ArgumentSpecValidator | None = None
) -> str:
    if not isinstance(error, UnsupportedError):
        return _of_value(str(error.msg))
    ways = [name if isinstance(name, tuple) else (name,) for name in unsupported]
    near = {".".join(map(str, way)): found for way in ways if (found := _nearest_option(way, spec))}
    if near and len(near) == len(ways):
        return "; ".join(f"unknown option {name}, did you mean {found}?" for name, found in sorted(near.items()))
    return f"unknown option {error.msg}"


def _nearest_option(way: tuple[object, ...], spec: ArgumentSpecValidator | None) -> str | None:
    """Return the option that the last of *way* is nearly; what stands before it leads to the options beside it."""
    beside: Mapping[str, Any] = spec.argument_spec if spec else {}
    for name in way[:-1]:
        beside = beside.get(str(name), {}).get("options") or {}
    return nearest(str(way[-1]), beside)


def _of_value(message: str) -> str:
    """Return Ansible's *message* of a value that an option does not take, with the one that was meant."""
    shape, switch, choice = _NO_SHAPE.match(message), _NO_SWITCH.match(message), _NO_CHOICE.search(message)
    if shape:
        return f"{shape[1]} is no {_SHAPES[shape[2]]}"
    if switch:
        return f"{switch[1]} is neither true nor false: {switch[2]}{question(switch[2], ('true', 'false'))}"
    # Of numbers, as versions are, the nearest is not the one that was meant.
    is_word = choice and any(map(str.isalpha, choice[2]))
    return message + (question(choice[2], choice[1].split(", ")) if choice and is_word else "")


def folder(path: str | None, option: str) -> str:
    """Return the folder *path* of *option*, tidied; "" for the default. Raises ReleaseError if it is not absolute."""
    if not path:
        return ""
    path = path.rstrip("/")
    if not _FOLDER.match(path) or ".." in path.split("/"):
        raise ReleaseError(
            f"{option} is not the path of a folder to work in",
            expected="/a/path or ~/a/path",
            found=path,
            fix=f"give {option}, or tools_{option}, the whole path of a folder, without .. and blanks at its ends",
        )
    return os.path.normpath(path)


def place(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields root, bin_dir and platform of Wanted that the options *given* say.

    Raises ReleaseError for what is no folder or no platform, and for a platform without root.
    """
    root, bin_dir = (folder(given[name], name) for name in ("root", "bin_dir"))
    if not given["platform"]:
        return {"root": root, "bin_dir": bin_dir}
    platform = parse_platform(given["platform"])
    return {"root": root, "bin_dir": shared_tree.bin_dir_of(root, bin_dir), "platform": platform}


def found_file(action: ActionBase, name: str, kind: str = user_files.LOCK_FILE) -> Path:
    """Return where the file *name* is on the controller: where Ansible looks for the files of any task.

    That is files/ of the role, the role, files/ beside the playbook, and beside the playbook, where it belongs if it
    is nowhere. Raises ReleaseError that names all of these places, and what *kind* of file is missing.
    """
    try:
        return Path(action._find_needle("files", name))
    except AnsibleFileNotFound as error:
        places = list(dict.fromkeys(map(os.path.normpath, error.paths or ())))
        # Tasks do not look in the folder that Ansible is started in, unless the playbook lies there.
        started_in = os.path.join(os.getcwd(), name)
        passed_by = Path(started_in) if os.path.isfile(started_in) else None
        raise user_files.missing(Path(action._loader.path_dwim(name)), kind, places, passed_by) from error


def mirrors(action: ActionBase, given: Sequence[Mapping[str, Any]] | None) -> Mirrors:
    """Return the mirrors of the task: the option *given*, or else those of the site's file, which may be vaulted.

    Raises ReleaseError for rules that cannot be followed, and for a file that cannot be read or trusted.
    """
    if given is not None:
        return read_mirrors(given)
    path = site_file()
    if path is None:
        return Mirrors()
    try:
        return _of_site(path, _loaded(action, path))
    except AnsibleError as error:
        # Of a vault, which may be the whole file or a value. What it says of the task would mislead.
        said = str(error.message).partition("\n")[0]
        fix = "give the vault's password to ansible-playbook, or correct the file"
        raise ReleaseError(f"{path} could not be decrypted", found=said, fix=fix) from None


def _loaded(action: ActionBase, path: Path) -> Any:
    """Return what is in the YAML file of a site, decrypted where that is to be done.

    Raises ReleaseError if it is no YAML. Ansible's own error shows lines of it, which may hold passwords.
    """
    try:
        return action._loader.load_from_file(str(path), cache="none")
    except AnsibleParserError:
        what = f"{path} is not YAML"
    try:
        read_yaml(path.read_text(encoding="utf-8", errors="replace"), str(path))
    except ReleaseError as error:
        what = error.what
    raise ReleaseError(what, found="lines that are not shown, since they may hold passwords", fix="correct the file")


def _of_site(path: Path, loaded: Any) -> Mirrors:
    """Return the rules that were *loaded* from the site's file. Raises ReleaseError for what cannot be followed."""
    rules = loaded if isinstance(loaded, dict) else {"mirrors": loaded}
    if not isinstance(rules.get("mirrors", []), list):
        found = "nothing" if rules["mirrors"] is None else "something else"
        raise ReleaseError(f"{path} has no list of rules", expected="mirrors: [] for none", found=found)
    checked = _SITE.validate(rules)
    if checked.error_messages:
        raise ReleaseError(f"{path}: {'; '.join(_message(error) for error in checked.errors.errors)}")
    try:
        return read_mirrors(checked.validated_parameters["mirrors"])
    except ReleaseError as error:
        raise error.about(str(path)) from error


def ask(action: ActionBase, question: probe.Question) -> probe.Answer:
    """Return what the action's host answers to *question*.

    Raises ReleaseError for what is no whole answer to it, and where a folder on the way cannot be trusted.
    """
    return probe.parse(put(action, question), question)


def put(action: ActionBase, question: probe.Question) -> str:
    """Put *question* to the action's host: one shell exec, no module, no Python, no temporary folder there."""
    # Without become there is no need for a terminal, which sudoable would ask of ssh.
    needs_become = bool(action._connection.become)
    if question.ask != "seal" and question.python not in ("", probe.LOOK):
        question = replace(question, environment=_environment(action))
    about = (question.ask, question.root, question.bin_dir, question.integrity)
    LOG.debug("asked for its %s: root=%s bin_dir=%s, integrity=%s", *about)
    answer = action._low_level_execute_command(_for_shell(action, probe.command(question)), sudoable=needs_become)
    LOG.debug("the host answered:\n%s", "\n".join(line[:160] for line in answer.get("stdout", "").split("\n")))
    return str(answer.get("stdout", "") or answer.get("stderr", ""))


def _for_shell(action: ActionBase, line: str) -> str:
    """Return what makes /bin/sh read *line*, where the shell that runs commands on the host is csh or fish."""
    return line if action._connection._shell.SHELL_FAMILY == "sh" else f"/bin/sh -c {shlex.quote(line)}"


def _environment(action: ActionBase) -> tuple[str, ...]:
    """Return what the task's keyword environment sets, as words NAME=VALUE."""
    found: dict[str, Any] = {}
    action._compute_environment_string(found)
    return tuple(f"{name}={value}" for name, value in found.items())


def assumed(given: Mapping[str, Any] | None) -> Assumed:
    """Return what the option assume says; *given* was checked by options()."""
    said: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in (given or {}).items()}
    return Assumed(**said)


def required(part: Part | None) -> Part:
    """Return *part* of a host's answer. Raises ReleaseError where the host left it out."""
    if part is None:
        raise ReleaseError("the host's answer is incomplete", fix="run again with -vvvv and report what it said")
    return part


def mode(mode: object) -> int:
    """Return the option *mode* as number: octal as ansible.builtin.file takes it, symbolic on top of 0755.

    Raises ReleaseError for what is neither, and for a mode that no installed program may have.
    """
    try:
        if isinstance(mode, int) and not isinstance(mode, bool):
            number = mode
        elif _OCTAL.match(str(mode)):
            number = int(str(mode), 8)
        else:
            number = AnsibleModule._symbolic_mode_to_octal(SimpleNamespace(st_mode=0o100755), str(mode))
    except (ValueError, TypeError) as error:
        raise ReleaseError(
            "mode is neither octal nor symbolic", expected="'0755' or 'u=rwx,go=rx'", found=str(mode)
        ) from error
    if not _suits_programs(number):
        # Written 0755, it is octal to YAML as well. Written 755, it is more than any mode without a special bit.
        is_decimal = isinstance(mode, int) and mode > 0o777 and _OCTAL.match(str(mode))
        is_unquoted = is_decimal and _suits_programs(int(str(mode), 8))
        raise ReleaseError(
            "mode does not suit a program that must stay as it was installed",
            expected="readable and executable by its owner, no set-id or sticky bit, not writable by group or others",
            found=f"{number:04o}" + (f": without quotes, YAML reads {mode} as a decimal number" if is_unquoted else ""),
            fix=f'write it in quotes: mode: "{mode:04}"' if is_unquoted else None,
        )
    return number


def _suits_programs(mode: int) -> bool:
    return not mode & 0o7022 and mode & 0o500 == 0o500
