# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's npm configuration: which registry, and which credentials for which place."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import npmrc
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.npmrc import (
    NpmConfig,
    parse_npmrc,
    read_npm_config,
)
from hypothesis import given
from hypothesis import strategies as st


def credentials(**settings):
    """Return prefix and header of every credential that the settings make."""
    found = NpmConfig(settings).credentials()
    return [(one.prefix, one.headers["Authorization"]) for one in found]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("registry=https://npm.example.org/", {"registry": "https://npm.example.org/"}),
        ("  registry = https://npm.example.org/ ", {"registry": "https://npm.example.org/"}),
        ('registry="https://npm.example.org/"', {"registry": "https://npm.example.org/"}),
        ("@scope:registry=https://x.example.org", {"@scope:registry": "https://x.example.org"}),
        ("//npm.example.org/:_authToken=${TOKEN}", {"//npm.example.org/:_authToken": "from-environment"}),
        ("//npm.example.org/:_authToken=${UNSET}", {"//npm.example.org/:_authToken": "${UNSET}"}),
        ("//npm.example.org/:_authToken=${UNSET?}", {"//npm.example.org/:_authToken": ""}),
        ("//npm.example.org/:_auth=dTpw==", {"//npm.example.org/:_auth": "dTpw=="}),
        ("; registry=https://npm.example.org/", {}),
        ("# registry=https://npm.example.org/", {}),
        ("[section]", {}),
        ("loose", {}),
    ],
)
def test_a_line_is_read_as_npm_reads_it(line, expected):
    assert parse_npmrc(line + "\n", {"TOKEN": "from-environment"}) == expected


def test_environment_before_user_before_machine(tmp_path, monkeypatch):
    user, machine = tmp_path / "user", tmp_path / "machine"
    machine.write_text("registry=https://machine.example.org/\ncafile=/x\n")
    user.write_text("registry=https://user.example.org/\n")
    monkeypatch.setattr(npmrc, "MACHINE_FILES", (str(machine), str(tmp_path / "absent")))
    environment = {"npm_config_userconfig": str(user)}
    assert read_npm_config(environment).settings["registry"] == "https://user.example.org/"
    assert read_npm_config(environment).settings["cafile"] == "/x"
    assert read_npm_config({}).settings.get("registry") != "https://user.example.org/"
    environment["NPM_CONFIG_REGISTRY"] = "https://environment.example.org/"
    assert read_npm_config(environment).registry_of("x") == "https://environment.example.org/"


def test_a_scope_may_have_a_registry_of_its_own():
    config = NpmConfig({"registry": "https://npm.example.org", "@scope:registry": "https://scope.example.org/npm"})
    assert config.registry_of("tool") == "https://npm.example.org/"
    assert config.registry_of("@scope/tool") == "https://scope.example.org/npm/"
    assert config.registry_of("@other/tool") == "https://npm.example.org/"


def test_every_kind_of_credential_becomes_a_header_for_its_place():
    password = base64.b64encode(b"p:w").decode()
    found = credentials(
        **{
            "//a.example.org/npm/:_authToken": "token",
            "//b.example.org/:_auth": "dTpw",
            "//c.example.org/:username": "me",
            "//c.example.org/:_password": password,
            "//d.example.org/:username": "alone",
        }
    )
    assert found == [
        ("https://a.example.org/npm", "Bearer token"),
        ("https://b.example.org", "Basic dTpw"),
        ("https://c.example.org", "Basic " + base64.b64encode(b"me:p:w").decode()),
    ]


def test_plain_http_is_used_only_where_the_configuration_itself_says_so():
    token = {"//npm.example.org/:_authToken": "token"}
    assert credentials(**token)[0][0] == "https://npm.example.org"
    assert credentials(**token, registry="http://npm.example.org/")[0][0] == "http://npm.example.org"
    assert credentials(**token, **{"@s:registry": "http://npm.example.org/"})[0][0] == "http://npm.example.org"


def test_a_password_that_npm_did_not_write_is_an_error_that_does_not_show_it():
    with pytest.raises(ReleaseError, match="not in base64") as failure:
        credentials(**{"//c.example.org/:username": "me", "//c.example.org/:_password": "hunter2!"})
    assert "hunter2" not in str(failure.value)


def test_the_configuration_never_shows_itself():
    assert "token" not in repr(NpmConfig({"//npm.example.org/:_authToken": "token"}))


def test_a_file_that_cannot_be_read_says_so(tmp_path):
    with pytest.raises(ReleaseError, match="could not be read"):
        read_npm_config({"npm_config_userconfig": str(tmp_path)})


def npm(folder, monkeypatch, script):
    """Let the only npm on PATH be *script*."""
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    npmrc._npm_default.cache_clear()


def test_without_any_setting_npm_itself_is_asked(tmp_path, monkeypatch):
    npm(tmp_path, monkeypatch, 'test "$*" = "config get registry" && echo https://default.example.org/')
    assert NpmConfig({}).registry_of("tool") == "https://default.example.org/"


@pytest.mark.parametrize("script", ["exit 1", "echo", None])
def test_without_npm_and_setting_the_error_says_where_to_name_one(tmp_path, monkeypatch, script):
    npm(tmp_path, monkeypatch, script or "")
    if script is None:
        (tmp_path / "npm").unlink()
    with pytest.raises(ReleaseError, match="no npm registry is configured") as failure:
        NpmConfig({}).registry_of("tool")
    assert "NPM_CONFIG_REGISTRY" in failure.value.expected
    npmrc._npm_default.cache_clear()


@given(st.text())
def test_no_file_raises_anything(text):
    config = NpmConfig(parse_npmrc(text, {}))
    assert all(isinstance(key, str) for key in config.settings)
