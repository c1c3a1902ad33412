# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does this machine offer the gates: which Pythons, and virtual environments of them? Standard library only.

Everything is installed by pip, as the machine configures it, and lies below the clone: what programs would write into
HOME goes to ``.build/home``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
HOME = BUILD / "home"

#: Pythons that ansible-core runs on, newest first; one that is newer still is no use before ansible-test knows it.
CONTROLLER_PYTHONS = ("3.14", "3.13", "3.12", "3.11", "3.10")
HOST_PYTHONS = (*CONTROLLER_PYTHONS, "3.9", "3.8", "3.7", "3.6")

#: The pip that comes with Python 3.6 fails at a release for newer Pythons where an index does not say so; this one,
#: the last for 3.6, passes it over.
PIP_FOR_36 = "pip>=21.3,<22"

HOW_TO_INSTALL = """\
  Debian, Ubuntu   apt-get install python3 python3-venv
  Fedora, RHEL     dnf install python3.12
  macOS            brew install python
  pyenv            pyenv install 3.13"""

HOW_TO_INSTALL_GIT = """\
  Debian, Ubuntu   apt-get install git
  Fedora, RHEL     dnf install git
  macOS            xcode-select --install"""

#: What to look at where pip fails, which mostly is a matter of the network.
HOW_PIP_IS_SET_UP = (
    "pip failed; if it did not reach its index, give it a proxy in HTTPS_PROXY, another index in PIP_INDEX_URL "
    "or a certificate authority of your own in PIP_CERT"
)


#: Held while an environment is made, by its folder: gates that run side by side may need the same one.
_BEING_MADE: dict[Path, Lock] = {}


class GateError(Exception):
    """A gate did not pass, or the machine lacks what it needs; the text says which and what to do."""


@dataclass(frozen=True)
class Python:
    """An interpreter of this machine that can make virtual environments. *version* is ``3.12``."""

    version: str
    path: Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment in *folder* into which pip installs *requirements*, its arguments."""

    folder: Path
    python: Python
    requirements: tuple[str, ...]

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    def ensure(self, log: IO[str]) -> None:
        """Create and fill the environment, unless that has been done with the same Python and requirements."""
        with _BEING_MADE.setdefault(self.folder, Lock()):
            if not self._made.exists():
                shutil.rmtree(self.folder, ignore_errors=True)
                run([self.python.path, "-m", "venv", self.folder], log)
                if self.python.version == "3.6":
                    self._install([PIP_FOR_36], log)
                self._made.touch()
            if not self._filled.exists():
                self._install(self.requirements, log)
                self._filled.touch()

    def is_ready(self) -> bool:
        """Tell whether ensure() would do nothing."""
        return self._made.exists() and self._filled.exists()

    def variables(self) -> dict[str, str]:
        """Return the variables in which this environment's programs, and then every Python found, are on PATH."""
        folders = [str(self.bin), *(str(python.path.parent) for python in pythons()), os.environ["PATH"]]
        return {"PATH": os.pathsep.join(dict.fromkeys(folders)), "VIRTUAL_ENV": str(self.folder)}

    @property
    def _made(self) -> Path:
        return self.folder / ("made-of-" + _digest([str(self.python.path)]))

    @property
    def _filled(self) -> Path:
        return self.folder / ("holds-" + _digest(self._contents_of_requirements()))

    def _install(self, requirements: Iterable[str], log: IO[str]) -> None:
        try:
            run([self.bin / "python", "-m", "pip", "install", *requirements], log)
        except GateError:
            raise GateError(HOW_PIP_IS_SET_UP) from None

    def _contents_of_requirements(self) -> Iterator[str]:
        for requirement in self.requirements:
            yield requirement
            if requirement.endswith(".txt"):
                yield (ROOT / requirement).read_text()


def run(
    command: Sequence[str | Path], log: IO[str], variables: Mapping[str, str] | None = None, folder: Path = ROOT
) -> None:
    """Run *command* with its output in *log*; raise GateError unless it succeeds."""
    words = [str(word) for word in command]
    log.write(f"\n$ {' '.join(words)}\n")
    log.flush()
    finished = subprocess.run(
        words,
        cwd=folder,
        env={**clean_variables(), **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if finished.returncode:
        raise GateError(f"{Path(words[0]).name} ended with {finished.returncode}")


def clean_variables() -> dict[str, str]:
    """Return the variables for programs of the gates: the user's, without what would change an outcome or fill HOME."""
    return {**_inherited_variables(), **_home_variables()}


def require_git() -> None:
    """Raise GateError, with how to install it, if git is not on PATH."""
    if not shutil.which("git"):
        raise GateError(f"git was not found on PATH. To install it:\n{HOW_TO_INSTALL_GIT}")


@cache
def pythons() -> tuple[Python, ...]:
    """Return one interpreter of each version of HOST_PYTHONS that is on this machine, newest first."""
    found = (_find(version) for version in HOST_PYTHONS)
    return tuple(python for python in found if python)


def first_python(versions: Sequence[str] = CONTROLLER_PYTHONS) -> Python:
    """Return the interpreter of the first of *versions* that this machine has; ``PYTHON``, if it is set, names it."""
    chosen = _ask(os.environ.get("PYTHON") or "")
    if chosen and chosen.version in versions:
        return chosen
    found = {python.version: python for python in pythons()}
    for version in versions:
        if version in found:
            return found[version]
    without_venv = next((version for version in versions if shutil.which("python" + version)), None)
    if without_venv:
        raise GateError(
            f"Python {without_venv} is here, but cannot make a virtual environment. To correct it:\n"
            f"  Debian, Ubuntu   apt-get install python3-venv"
        )
    # A distribution has no choice of versions; pyenv has.
    how = HOW_TO_INSTALL if versions == CONTROLLER_PYTHONS else f"  pyenv            pyenv install {versions[-1]}"
    raise GateError(f"No Python of the versions {', '.join(versions)} was found. To install one:\n{how}")


def _find(version: str) -> Python | None:
    """Return an interpreter of *version*; pyenv's shims often do not run, so look behind them too."""
    names = [shutil.which("python" + version), shutil.which("python3")]
    for root in _pyenv_roots():
        names += sorted(map(str, root.glob(f"versions/{version}.*/bin/python{version}")), reverse=True)
    answers = (_ask(name) for name in names if name)
    return next((python for python in answers if python and python.version == version), None)


def _ask(name: str) -> Python | None:
    """Return the interpreter behind *name*, None if it does not run or cannot make virtual environments.

    Of a virtual environment, which may be one of ours and about to be made anew, that is the one it was made of.
    """
    question = (
        "import ensurepip, sys, venv; "
        "print('%d.%d' % sys.version_info[:2], getattr(sys, '_base_executable', None) or sys.executable)"
    )
    try:
        answer = subprocess.run([name, "-c", question], capture_output=True, text=True, check=False)
    except OSError:
        return None
    if answer.returncode:
        return None
    version, path = answer.stdout.strip().split(" ", 1)
    return Python(version, Path(path))


def _pyenv_roots() -> Iterator[Path]:
    yield Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for folder in os.environ["PATH"].split(os.pathsep):
        if folder.endswith("/shims"):
            yield Path(folder).parent


def _inherited_variables() -> dict[str, str]:
    """Return the user's variables without those that would make the gates' outcome depend on the user."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON", "PYTEST_"))}


def _home_variables() -> dict[str, str]:
    """Return what keeps programs out of HOME, while pip and npm still find the user's configuration and logins."""
    variables = {
        "HOME": str(HOME),
        "PIP_CACHE_DIR": str(BUILD / "cache/pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "npm_config_cache": str(BUILD / "cache/npm"),
    }
    kept = {
        "PIP_CONFIG_FILE": (".config/pip/pip.conf", ".pip/pip.conf", "Library/Application Support/pip/pip.conf"),
        "NETRC": (".netrc",),
        "npm_config_userconfig": (".npmrc",),
    }
    for name, places in kept.items():
        files = [Path.home() / place for place in places if (Path.home() / place).is_file()]
        if files and name not in os.environ:
            variables[name] = str(files[0])
    return variables


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
