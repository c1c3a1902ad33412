# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A word that is nearly a known one is noticed, however short it is; one that is like none is left alone."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import nearest, question

SOURCES = ("github", "gitlab", "forgejo", "npm", "pypi", "crates", "hashicorp", "http", "oci")


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("pipy", SOURCES, "pypi"),
        ("UV", ("uv", "ruff"), "uv"),
        ("uw", ("uv", "ruff"), "uv"),
        ("latst", ("latest",), "latest"),
        ("ful", ("auto", "full"), "full"),
        ("absnet", ("present", "absent"), "absent"),
        ("contoller", ("auto", "controller", "host"), "controller"),
        ("skp", ("fail", "skip"), "skip"),
        ("ture", ("true", "false"), "true"),
        ("glibz", ("libc", "cpu", "abi"), "libc"),
        ("githib", SOURCES, "github"),
        ("release.lock.json", ("README.md", "releases.lock.json", "releases.yml"), "releases.lock.json"),
        ("catalog.yml", ("catalogue.yml", "releases.yml"), "catalogue.yml"),
    ],
)
def test_the_word_that_was_meant_is_found(word: str, known: tuple[str, ...], meant: str) -> None:
    assert nearest(word, known) == meant
    assert question(word, known) == f"; did you mean {meant}?"


@pytest.mark.parametrize("word", ["", "x", "zig", "sourceforge", "npm" * 40])
def test_a_word_that_is_like_none_has_none(word: str) -> None:
    assert nearest(word, SOURCES) is None
    assert question(word, SOURCES) == ""


def test_of_several_the_one_with_fewest_slips_is_meant() -> None:
    assert nearest("uvv", ("uvvv1", "uvx", "uv")) == "uv"
    assert nearest("amr64", ("amd64", "arm64")) == "arm64"
    assert nearest("minro", ("minor", "mirror")) == "minor"
