# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that an aqua.yaml imports: which are read, and which a stranger's pattern cannot lead to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import import_files, import_texts

#: The path in the tests' folder → what the file says.
Tree = dict[str, str]


def read(folder: Path, tree: Tree, *named: str) -> tuple[list[str], list[str]]:
    """Return the names of the files that are read with *named* ones of a *tree* in *folder*, and what is told."""
    for path, text in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    found = import_texts.read_all([folder / name for name in named or ("aqua.yaml",)])
    return list(found.texts), [str(one) for one in found.left]


def imports(*patterns: str) -> str:
    return json.dumps({"packages": [{"import": pattern} for pattern in patterns]})


def package(name: str) -> str:
    return f"packages:\n- name: o/{name}@v1.0.0\n"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("aqua/*.yaml", ["a.yaml", "b.yaml"]),
        ("aqua/a.yaml", ["a.yaml"]),
        ("./aqua/../aqua/a.yaml", ["a.yaml"]),
        ("/aqua/a.yaml", ["a.yaml"]),
        ("aqua/[^b].y?ml", ["a.yaml"]),
        ("*/a.yaml", ["a.yaml"]),
        ("**/a.yaml", ["a.yaml"]),
        ("aqua/*.json", []),
        ("aqua/*/a.yaml", []),
    ],
)
def test_patterns_lead_to_files_from_the_folder_of_the_file_that_imports(
    tmp_path: Path, pattern: str, names: list[str]
) -> None:
    tree = {"aqua.yaml": imports(pattern), "aqua/a.yaml": package("a"), "aqua/b.yaml": package("b")}
    assert read(tmp_path, tree) == (["aqua.yaml", *names], [])


def test_import_dir_means_its_yaml_files(tmp_path: Path) -> None:
    tree = {"aqua.yaml": "registries: []\nimport_dir: imports", "imports/a.yml": package("a"), "imports/b.txt": "no"}
    assert read(tmp_path, tree) == (["aqua.yaml", "a.yml"], [])


def test_what_is_imported_imports_from_its_own_folder(tmp_path: Path) -> None:
    tree = {"aqua.yaml": imports("x/aqua.yaml"), "x/aqua.yaml": imports("y/*.yaml"), "x/y/a.yaml": package("a")}
    assert read(tmp_path, tree) == (["aqua.yaml", "x/aqua.yaml", "a.yaml"], [])


def test_files_that_import_each_other_are_read_once(tmp_path: Path) -> None:
    tree = {"aqua.yaml": imports("*.yaml", "a.yaml"), "a.yaml": imports("aqua.yaml", "./a.yaml", "*.yaml")}
    assert read(tmp_path, tree, "aqua.yaml", "a.yaml") == (["aqua.yaml", "a.yaml"], [])


def test_every_file_has_a_name_of_its_own(tmp_path: Path) -> None:
    tree = {f"{folder}/mise.lock": "[tools]" for folder in ("a/x", "b/x", "c")}
    assert read(tmp_path, tree, *tree)[0] == ["mise.lock", "x/mise.lock", "c/mise.lock"]


@pytest.mark.parametrize(
    "pattern", ["../secret.yaml", "../*.yaml", "aqua/../../secret.yaml", "link.yaml", "up/*.yaml", "up/secret.yaml"]
)
def test_nothing_outside_of_the_folder_is_read_and_that_is_told(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "secret.yaml").write_text(package("secret"))
    project = tmp_path / "project"
    (project / "aqua").mkdir(parents=True)
    (project / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (project / "up").symlink_to(tmp_path)
    names, told = read(project, {"aqua.yaml": imports(pattern)})
    assert names == ["aqua.yaml"]
    assert told == [
        f"{pattern}: aqua.yaml imports it from outside of project; to take it over, too, name it in the option import"
    ]


def test_a_link_inside_of_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("aqua")
    tree = {"aqua.yaml": imports("link/*.yaml"), "aqua/a.yaml": package("a")}
    assert read(tmp_path, tree) == (["aqua.yaml", "a.yaml"], [])


def test_links_in_a_circle_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    (tmp_path / "here").symlink_to(".")
    assert read(tmp_path, {"aqua.yaml": imports("one/*.yaml", "here/here/*.yaml")}) == (["aqua.yaml"], [])


def test_a_file_that_is_not_there_or_has_no_packages_is_told(tmp_path: Path) -> None:
    tree = {"aqua.yaml": imports("none.yaml", "x.yaml", "y.yaml"), "x.yaml": "a: b", "y.yaml": "packages:\n"}
    assert read(tmp_path, tree) == (
        ["aqua.yaml", "y.yaml"],
        ["none.yaml: aqua.yaml imports it, and it is not there", "x.yaml: it is imported, and lists no packages"],
    )


@pytest.mark.parametrize("pattern", ["./" * 33 + "a.yaml", "*/" * 9 + "*"])
def test_a_pattern_that_means_too_much_is_refused(
    tmp_path: Path, pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_texts, "MOST_NAMES", 50)
    for letter in "abc":
        (tmp_path / letter).symlink_to(".")
    with pytest.raises(ReleaseError, match="imports too much"):
        read(tmp_path, {"aqua.yaml": imports(pattern)})


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_texts, "MOST_FILES", 3)
    tree = {"aqua.yaml": imports("x/*"), **{f"x/{letter}.yaml": package(letter) for letter in "abc"}}
    with pytest.raises(ReleaseError, match=r"aqua\.yaml imports too much"):
        read(tmp_path, tree)


def test_packages_of_imported_files_get_the_digests_beside_the_file_that_imports(tmp_path: Path) -> None:
    digest = {"checksum": "AB" * 32, "algorithm": "sha256"}
    checksums = [{"id": f"github_release/github.com/o/{name}/v1.0.0/{name}-linux-amd64", **digest} for name in "ab"]
    tree = {
        "aqua.yaml": imports("aqua/*.yaml"),
        "aqua-checksums.json": json.dumps({"checksums": checksums}),
        "aqua/a.yaml": package("a"),
        "aqua/b.yaml": package("b"),
    }
    read(tmp_path, tree)
    found = import_files.take_over_files([tmp_path / "aqua.yaml"])
    assert [entry.name for entry in found.entries] == ["a", "b"]
    assert [(one.tool, one.digests) for one in found.digests.statements] == [
        (name, (("sha256", "ab" * 32),)) for name in "ab"
    ]
    assert found.left == ()
