# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries that are absent: importable by name, and a clear error where they are used."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries


@pytest.fixture
def absent(monkeypatch):
    """Make importing pypi_simple fail, as on a controller that lacks it."""
    monkeypatch.setitem(sys.modules, "pypi_simple", None)
    return libraries.pypi_simple


def test_an_installed_library_is_the_library():
    import requests

    assert libraries.requests is requests


def test_submodules_come_with_their_library(monkeypatch):
    monkeypatch.delitem(sys.modules, "packaging.tags", raising=False)
    monkeypatch.delattr("packaging.tags", raising=False)
    assert libraries.packaging.tags.sys_tags
    assert str(libraries.packaging.version.Version("1.0")) == "1.0"


def test_an_absent_library_can_be_named_and_derived_from(absent):
    class Client(absent.PyPISimple):
        answer = 42

    assert Client().answer == 42


def test_using_an_absent_library_says_what_to_install(absent):
    with pytest.raises(ReleaseError, match="pypi-simple is missing") as failure:
        absent.PyPISimple()
    assert "pip install pypi-simple" in failure.value.fix


def test_what_is_to_be_installed_is_what_the_requirements_say(monkeypatch):
    """The version counts, too: an older semver would be installed again, and fail elsewhere."""
    monkeypatch.setitem(sys.modules, "semver", None)
    with pytest.raises(ReleaseError, match="library semver is missing") as failure:
        libraries.semver.Version.parse("1.0.0")
    assert failure.value.fix.endswith("-m pip install 'semver>=3'")
    requirements = (Path(__file__).parents[5] / "requirements.txt").read_text(encoding="utf-8")
    bounded = re.findall(r"^(\S+) (>= ?\S+)$", requirements, re.MULTILINE)
    assert {name: bound.replace(" ", "") for name, bound in bounded} == libraries.BOUNDS


def test_an_unknown_library_is_an_import_error():
    with pytest.raises(ImportError):
        from ansible_collections.pinned.release.plugins.plugin_utils._values.libraries import no_such_library  # noqa: F401


def test_python_from_3_11_on_has_the_reader_of_toml_itself():
    assert libraries.tomli.loads("a = 1") == {"a": 1}
    assert (libraries.tomli.__name__ == "tomllib") == (sys.version_info >= (3, 11))


def test_an_optional_library_that_is_absent_is_known_to_be(monkeypatch):
    monkeypatch.setitem(sys.modules, "blake3", None)
    assert not libraries.is_installed("blake3")
    assert libraries.is_installed("requests")
