# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do orders, the program that carries them out, and files reach a host, and how does its answer come back?

On the controller. Ansible's own wrapper of modules is not used: it asks for the Pythons that the controller's
ansible-core supports, while our program needs 3.6 and nothing but the standard library. Program and orders are one
piece, whose SHA-256 stands in the command: who changes it on the way has changed nothing.

Where Ansible would pipeline, all goes through standard input in one exec. Elsewhere (su, a sudo that wants a terminal,
connections without pipelining) it lies in Ansible's remote_tmp meanwhile, as one file. Files that are too much for the
memory of a fork lie there as well, as another one. A host verifies pushed files while it copies them to where nobody
else can change them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import re
import secrets
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.pinned.release.plugins.module_utils.carried import ENTRY
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.file_errors import file_error
from ansible_collections.pinned.release.plugins.module_utils.host_run import STDIN
from ansible_collections.pinned.release.plugins.plugin_utils._host.probe import LOOK
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import obeyed, sending

LOG = logging.getLogger("pinned.release")
#: Files that go in one piece with the orders are held in the memory of a fork, of which there may be hundreds.
MOST_IN_ONE_PIECE_BYTES = 32 * 1024 * 1024
#: How much is shown of what a host said in place of a path.
MOST_OF_A_PATH = 200

#: Nothing that others may have added to a Python is run with it: variables, the own folder, files *.pth of packages.
_ALONE = ("-I", "-S")
#: Names of files are written as the shell's answer has them, whatever the host's locale says. Python 3.6 lacks that
#: option, ignores it, and goes by the locale.
_UTF8 = ("-X", "utf8")
_UTF8_LOCALE = ("env", "LC_ALL=C.UTF-8")
_PACKAGE = ENTRY.rpartition(".")[0]
_FOLDER = Path(__file__).parents[1] / "module_utils"
_IMPORT = re.compile(rf"^ *from {re.escape(_PACKAGE)}(\.\w+)? import (?:\(([^)]*)\)|(.*))$", re.MULTILINE)
#: One line without exclamation marks, for the login shells of all hosts. The words after it: how long program and
#: orders are together, their digest, how long the program is, and where they are.
_BOOTSTRAP = (
    "import hashlib,os,sys,zlib;"
    "length,digest,end,place=sys.argv[1:5];"
    'stream=os.fdopen(os.dup(0) if place=="-" else os.open(place,os.O_RDONLY|os.O_NONBLOCK|os.O_NOFOLLOW),"rb");'
    "told=stream.read(int(length));"
    'hashlib.sha256(told).hexdigest()==digest or sys.exit("what came from the controller is incomplete or changed");'
    "exec(zlib.decompress(told[:int(end)]))"
)
_START = "sys.exit(start(SOURCES, zlib.decompress(told[int(end):]), stream, sys.argv[5:]))\n"


@dataclass(frozen=True)
class Pushed:
    """A file of the controller that goes with the orders; a host takes it only with this digest and size in bytes."""

    path: Path
    sha256: str
    size: int


def named_python(action: ActionBase, task_vars: Mapping[str, Any]) -> str:
    """Return the command that ansible_python_interpreter names for the host that *action* is about; LOOK for none."""
    variables = task_vars
    if action._task.delegate_to:
        variables = task_vars.get("ansible_delegated_vars", {}).get(action._task.delegate_to, {})
    configured = constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables)
    named = str(action._templar.template(configured) or "").strip()
    return LOOK if not named or named.startswith(LOOK) else named


def obey(
    action: ActionBase,
    host_python: Sequence[str],
    orders: Mapping[str, Any],
    pushed: Sequence[Pushed] = (),
    tell: Callable[[str], None] | None = None,
) -> object:
    """Carry *orders* to the host of *action*, let *host_python* carry them out, and return its answer, decoded JSON.

    *host_python* are the words of its command, *pushed* the files that are ordered as such, in the orders' order.
    *tell*, if any, is given a line now and then: how far these are.
    Raises ReleaseError where no answer came, and AnsibleError where the connection failed.
    """
    text = json.dumps(orders)
    told = _PROGRAM + zlib.compress(text.encode("ascii"), 1)
    is_pipelined = action._is_pipelining_enabled("new")
    pushed_bytes = sum(file.size for file in pushed)
    parcel = _parcel(pushed) if pushed_bytes > MOST_IN_ONE_PIECE_BYTES else None
    piece = _with_files(told, () if parcel else pushed)
    with sending.told(sending.transfer(parcel or Path(constants.DEFAULT_LOCAL_TMP), pushed_bytes), tell):
        place, parcel_place = _transferred(action, None if is_pipelined else piece, parcel)
    nonce = secrets.token_hex(8)
    words = [*(_UTF8_LOCALE if "\\u" in text else ()), *host_python, *_ALONE, *_UTF8]
    words += ["-c", _BOOTSTRAP, str(len(told)), hashlib.sha256(told).hexdigest()]
    words += [str(len(_PROGRAM)), place, nonce, str(pushed_bytes), parcel_place]
    command = f"{action._compute_environment_string()} {' '.join(map(action._connection._shell.quote, words))}".strip()
    with sending.told(sending.work(pushed_bytes, is_sent=bool(parcel) or not is_pipelined), tell):
        answer = action._low_level_execute_command(command, in_data=piece if is_pipelined else None)
    LOG.debug("the host answered its orders with status %s:\n%s", answer.get("rc"), answer.get("stdout", ""))
    said = "\n".join(filter(None, (answer.get("stdout"), answer.get("stderr"))))
    return obeyed.answer_in(said, nonce, answer.get("rc"))


def _program() -> bytes:
    """Return the program, compressed: what carried.py starts, with every module that it needs. The same each time."""
    sources: dict[str, str | None] = {}
    package = _PACKAGE
    while package:
        sources[package] = None
        package = package.rpartition(".")[0]
    names = {ENTRY.rpartition(".")[2]}
    while names:
        name = min(names)
        text = (_FOLDER / f"{name}.py").read_text(encoding="utf-8")
        sources[f"{_PACKAGE}.{name}"] = text
        names = {one for one in names | _imported(text) if f"{_PACKAGE}.{one}" not in sources}
    start = (_FOLDER / "carried.py").read_text(encoding="utf-8")
    return zlib.compress(f"{start}\n\nSOURCES = {dict(sorted(sources.items()))!a}\n{_START}".encode(), 9)


def _imported(text: str) -> set[str]:
    """Return which modules of the package *text* imports."""
    found: set[str] = set()
    for module, several, one in _IMPORT.findall(text):
        found |= {module[1:]} if module else set(re.findall(r"\w+", several or one))
    return found


def _transferred(action: ActionBase, told: bytes | None, parcel: Path | None) -> tuple[str, str]:
    """Return where *told* and *parcel* are on the host: in its remote_tmp, or in what comes through standard input.

    Ansible deletes them when the task ends, however it ends. Raises ReleaseError where one side's disk takes no more.
    """
    if told is None and parcel is None:
        return STDIN, STDIN
    shell = action._connection._shell
    folder = shell.tmpdir or action._make_tmp_path()
    if not folder.startswith("/"):
        # Ansible takes the last line that was printed for the folder's name.
        raise ReleaseError(
            "the host's shell prints text after each command, so the folder for the orders is unknown",
            expected="the path of the folder that Ansible made in its remote_tmp",
            found=folder[:MOST_OF_A_PATH],
            fix="remove what prints it (a file that the login shell reads), or set ansible_pipelining: true",
        )
    places = [shell.join_path(folder, name) for name in ("pinned_release", "pinned_release_files")]
    try:
        if told is not None:
            action._transfer_data(places[0], told)
        if parcel is not None:
            action._transfer_file(str(parcel), places[1])
    except AnsibleConnectionFailure:
        raise
    except AnsibleError as error:
        raise ReleaseError(
            "the orders, or the files that go with them, could not be brought to the host",
            found=str(error),
            fix=f"see whether there is room for them in {constants.DEFAULT_LOCAL_TMP} on the controller, and in "
            f"{folder} on the host: Ansible's local_tmp and remote_tmp",
        ) from error
    made = [place for place, is_made in zip(places, (told is not None, parcel is not None), strict=True) if is_made]
    if action._is_become_unprivileged():
        action._fixup_perms2([folder, *made])
    return places[0] if told is not None else STDIN, places[1] if parcel is not None else STDIN


def _with_files(told: bytes, pushed: Sequence[Pushed]) -> bytes:
    """Return *told* and the bytes of what is *pushed*. Raises ReleaseError if a file is not as it was."""
    parts = [told]
    for file in pushed:
        parts.append(_content(file))
    return b"".join(parts)


def _content(file: Pushed) -> bytes:
    try:
        content = file.path.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error
    if len(content) != file.size:
        raise _changed(file, len(content))
    return content


def _parcel(pushed: Sequence[Pushed]) -> Path:
    """Return one file with all that is *pushed*, so that it is one transfer.

    Several files are put together once for all hosts of a run that get the same, in the run's own temporary folder,
    which Ansible deletes at its end. Raises ReleaseError if one of them is not as it was, or the disk is full.
    """
    for file in pushed:
        _refuse_changed(file)
    if len(pushed) == 1:
        return pushed[0].path
    parcel = Path(constants.DEFAULT_LOCAL_TMP) / _parcel_name(pushed)
    try:
        with parcel.with_suffix(".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not parcel.exists():
                _put_together(pushed, parcel)
    except OSError as error:
        told = file_error("write", str(parcel), error)
        told.fix = f"{told.fix or 'see what is wrong there'}: the folder is Ansible's local_tmp (ANSIBLE_LOCAL_TEMP)"
        raise told from error
    return parcel


def _parcel_name(pushed: Sequence[Pushed]) -> str:
    return f"parcel-{hashlib.sha256(''.join(file.sha256 for file in pushed).encode()).hexdigest()}"


def _put_together(pushed: Sequence[Pushed], parcel: Path) -> None:
    unfinished = parcel.with_suffix(".new")
    with unfinished.open("wb") as made:
        for file in pushed:
            before = made.tell()
            with file.path.open("rb") as source:
                shutil.copyfileobj(source, made, 1024 * 1024)
            if made.tell() - before != file.size:
                raise _changed(file, made.tell() - before)
    unfinished.rename(parcel)


def _refuse_changed(file: Pushed) -> None:
    """Raise ReleaseError if *file* is gone, or not as long as it was. A host compares its bytes."""
    try:
        size = file.path.stat().st_size
    except OSError as error:
        raise _unreadable(file, error) from error
    if size != file.size:
        raise _changed(file, size)


def _unreadable(file: Pushed, error: OSError) -> ReleaseError:
    told = file_error("read", str(file.path), error)
    if isinstance(error, FileNotFoundError):
        told.fix = "run again, so that the controller fetches it anew"
    return told


def _changed(file: Pushed, size: int) -> ReleaseError:
    return ReleaseError(
        f"{file.path} was changed while it was to be pushed",
        expected=f"{file.size} bytes",
        found=f"{size} bytes",
        fix="run again",
    )


# Made here, once for all hosts: Ansible imports this before it forks.
_PROGRAM = _program()
