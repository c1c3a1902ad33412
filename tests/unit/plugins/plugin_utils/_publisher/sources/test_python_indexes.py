# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which indexes pip's and uv's configuration name, in which order; compared with pip itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.python_indexes import (
    Index,
    configured_indexes,
)
from hypothesis import given
from hypothesis import strategies as st

DEFAULT = "https://default.example.org/simple/"
#: Prints the indexes that pip would use.
ASK_PIP = """
from pip._internal.commands import create_command
options = create_command("install").parser.parse_args([])[0]
print(options.index_url, *options.extra_index_urls)
"""
A, B, C = (f"https://{name}.example.org/simple" for name in "abc")


@pytest.fixture
def home(tmp_path):
    """Return a home without any configuration, and the variables that keep the machine's own out."""
    environment = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "xdg")}

    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    return environment, write, tmp_path


def urls(environment, **variables):
    return [index.url for index in configured_indexes({**environment, **variables}, DEFAULT)]


def test_without_configuration_it_is_the_default(home):
    environment, _write, _folder = home
    assert configured_indexes(environment, DEFAULT) == (Index(DEFAULT, ""),)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"PIP_INDEX_URL": A}, [A]),
        ({"PIP_INDEX_URL": A, "PIP_EXTRA_INDEX_URL": f"{B}\n {C}"}, [A, B, C]),
        ({"PIP_EXTRA_INDEX_URL": B}, [DEFAULT, B]),
        ({"PIP_EXTRA_INDEX_URL": "file:///srv/simple /srv/simple"}, [DEFAULT]),
        ({"UV_DEFAULT_INDEX": A}, [A]),
        ({"UV_INDEX_URL": A}, [A]),
        ({"UV_DEFAULT_INDEX": A, "UV_INDEX_URL": B}, [A]),
        ({"UV_INDEX": f"own={A} {B}", "UV_EXTRA_INDEX_URL": C}, [A, B, C, DEFAULT]),
        ({"UV_DEFAULT_INDEX": A, "PIP_INDEX_URL": B}, [B]),
        ({"UV_INDEX": A, "PIP_EXTRA_INDEX_URL": "file:///srv"}, [A, DEFAULT]),
        ({"UV_INDEX": f"{A}?x=y"}, [f"{A}?x=y", DEFAULT]),
    ],
)
def test_variables_name_indexes_in_the_order_of_their_program(home, variables, expected):
    environment, _write, _folder = home
    assert urls(environment, **variables) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({".config/pip/pip.conf": f"[global]\nindex-url = {A}\n"}, [A]),
        ({".config/pip/pip.conf": f"[global]\nindex_url = {A}\nextra-index-url =\n  {B}\n  {C}\n"}, [A, B, C]),
        ({".config/pip/pip.conf": f"[global]\nindex-url = {A}\n[install]\nindex-url = {B}\n"}, [B]),
        ({".config/pip/pip.conf": f"[freeze]\nindex-url = {A}\n"}, [DEFAULT]),
        ({".pip/pip.conf": f"[global]\nindex-url = {A}\n", ".config/pip/pip.conf": f"[global]\nindex-url={B}"}, [B]),
        ({".pip/pip.conf": f"[install]\nindex-url = {A}\n", ".config/pip/pip.conf": f"[global]\nindex-url={B}"}, [A]),
        ({"xdg/pip/pip.conf": f"[global]\nindex-url = {A}", ".config/pip/pip.conf": f"[global]\nindex-url={B}"}, [B]),
        ({"xdg/pip/pip.conf": f"[global]\nextra-index-url = {A}"}, [DEFAULT, A]),
    ],
)
def test_pips_files_are_read_as_pip_reads_them(home, files, expected):
    environment, write, folder = home
    for path, text in files.items():
        write(path, text)
    assert urls(environment) == expected
    asked = [sys.executable, "-c", ASK_PIP]
    said = subprocess.run(asked, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if said.returncode == 0:  # there is a pip, and it still is asked in this way
        assert [url for url in said.stdout.split() if url in (A, B, C)] == [url for url in expected if url != DEFAULT]


def test_the_file_that_a_variable_names_counts_most_and_dev_null_means_none(home):
    environment, write, folder = home
    write(".config/pip/pip.conf", f"[global]\nindex-url = {A}\n")
    write("own.conf", f"[global]\nindex-url = {B}\n")
    assert urls(environment, PIP_CONFIG_FILE=str(folder / "own.conf")) == [B]
    assert urls(environment, PIP_CONFIG_FILE=os.devnull) == [DEFAULT]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'index-url = "{A}"\nextra-index-url = ["{B}"]\n', [B, A]),
        (f'[[index]]\nurl = "{A}"\n[[index]]\nname = "x"\nurl = "{B}"\ndefault = true\n', [A, B]),
        (f'[[index]]\nname = "x"\nurl = "{A}"\nexplicit = true\n', [DEFAULT]),
        (f'[[index]]\nurl = "{A}"\nformat = "flat"\n', [DEFAULT]),
        ("native-tls = true\n", [DEFAULT]),
    ],
)
def test_uvs_file_names_indexes_in_the_order_of_uv(home, text, expected):
    environment, write, folder = home
    write(".config/uv/uv.toml", text)
    assert urls(environment) == expected
    assert urls(environment, UV_NO_CONFIG="1") == [DEFAULT]
    write("own.toml", f'index-url = "{C}"')
    assert urls(environment, UV_CONFIG_FILE=str(folder / "own.toml")) == [C]


def test_what_pip_is_told_comes_before_what_uv_is_told(home):
    environment, write, _folder = home
    write(".config/uv/uv.toml", f'index-url = "{A}"')
    write(".config/pip/pip.conf", f"[global]\nindex-url = {B}\n")
    assert urls(environment) == [B]


def test_an_index_of_uv_with_a_name_gets_the_login_of_that_name(home):
    environment, _write, _folder = home
    login = {"UV_INDEX_MY_OWN_USERNAME": "me@x", "UV_INDEX_MY_OWN_PASSWORD": "hunter2"}
    [own, _default] = configured_indexes({**environment, "UV_INDEX": f"my-own={A}", **login}, DEFAULT)
    assert own == Index("https://me%40x:hunter2@a.example.org/simple", "UV_INDEX_MY_OWN_PASSWORD")
    assert "hunter2" not in repr(own)


@pytest.mark.parametrize("text", ["index-url = x", "[global]\n[global]\n", "[global]\nno value\n"])
def test_a_file_of_pip_that_is_none_is_named_and_not_repeated(home, text):
    environment, write, _folder = home
    write(".config/pip/pip.conf", text)
    with pytest.raises(ReleaseError, match=r"pip\.conf could not be understood") as failure:
        urls(environment)
    assert "index-url" not in str(failure.value)


@pytest.mark.parametrize("text", ["index-url = 5", "index = 5", "[[index]]\nname='x'", "x", 'extra-index-url = "x"'])
def test_a_file_of_uv_that_is_none_is_named(home, text):
    environment, write, _folder = home
    write(".config/uv/uv.toml", text)
    with pytest.raises(ReleaseError, match=r"uv\.toml could not be understood"):
        urls(environment)


@given(st.text() | st.just("http://["))
def test_no_variable_raises(text):
    environment = {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_DEFAULT_INDEX"):
        login = {"UV_INDEX_X_USERNAME": "me"}
        assert configured_indexes({**environment, **login, name: text}, DEFAULT)
        assert configured_indexes({**environment, **login, name: f"x={text}"}, DEFAULT)
