# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of a folder of advisories, all that concerns the packages in question is found, and what cannot be read is told."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import database
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.database import MOST_TOLD
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import Damaged, Subject
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import ECOSYSTEMS, package
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.subjects import packages_of
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.osv import (
    affected,
    found,
    from_git,
    read,
    record,
    write,
    write_zip,
)
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

NET = Subject("caddy", "pkg:golang/golang.org/x/net@v0.20.0", "v0.20.0", where="caddy")
FLOOD = record("GO-2099-0001", affected("Go", "golang.org/x/net", "introduced 0 fixed 0.23.0"))
OTHER = record("GO-2099-0002", affected("Go", "golang.org/x/text", "introduced 0"))


def subject(purl: str, version: str, repo: str = "") -> Subject:
    return Subject("tool", purl, version, repo)


def test_records_are_found_in_files_folders_and_dumps(tmp_path: Path) -> None:
    write(tmp_path / "deep/down", FLOOD)
    write_zip(tmp_path / "Go/all.zip", OTHER, record("GO-2099-0003", FLOOD["affected"][0]))
    assert found(tmp_path, NET) == [("GO-2099-0001", "affected"), ("GO-2099-0003", "affected")]
    assert read(tmp_path, NET).records_count == 3


def test_only_records_that_concern_us_are_kept(tmp_path: Path) -> None:
    known = read(write(tmp_path, FLOOD, OTHER), NET)
    assert [one.id for records in known.records.values() for one in records] == ["GO-2099-0001"]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (
            subject("pkg:golang/github.com/burntsushi/toml@v1.0.0", "v1.0.0"),
            affected("Go", "github.com/BurntSushi/toml"),
        ),
        (subject("pkg:golang/stdlib@1.0.0", "1.0.0"), affected("Go", "stdlib")),
        (subject("pkg:npm/%40biomejs/biome@1.0.0", "1.0.0"), affected("npm", "@biomejs/biome")),
        (subject("pkg:pypi/ruamel-yaml@1.0.0", "1.0.0"), affected("PyPI", "Ruamel.__Yaml")),
        (subject("pkg:cargo/rustls-pemfile@1.0.0", "1.0.0"), affected("crates.io", "rustls-pemfile")),
        (subject("pkg:bitnami/node@1.0.0", "1.0.0"), affected("Bitnami", "node")),
        (
            subject("pkg:generic/curl@1.0.0", "v1.0.0", "https://github.com/curl/curl"),
            from_git("git://GITHUB.com/Curl/curl.git/"),
        ),
        (subject("pkg:github/curl/curl@v1.0.0", "v1.0.0"), from_git("https://u@github.com:443/curl/curl")),
    ],
)
def test_a_record_is_found_however_its_package_is_spelled(
    tmp_path: Path, asked: Subject, part: dict[str, object]
) -> None:
    write(tmp_path, record("X-1", {**part, "versions": ["1.0.0"]}))
    assert found(tmp_path, asked) == [("X-1", "affected")]


def test_a_record_of_another_ecosystem_is_not_ours(tmp_path: Path) -> None:
    write(tmp_path, record("X-1", affected("npm", "golang.org/x/net", "introduced 0")))
    assert found(tmp_path, NET) == []


@pytest.mark.parametrize("escape", ["golang.org\\/x\\/net", "golang.org/x/\\u006eet", "\\u0067olang.org/x/net"])
def test_a_name_that_is_written_with_escapes_is_found(tmp_path: Path, escape: str) -> None:
    text = json.dumps(FLOOD).replace("golang.org/x/net", escape)
    assert found(write(tmp_path, text.encode()), NET) == [("GO-2099-0001", "affected")]


@given(
    st.sampled_from(["bitnami", "cargo", "golang", "npm", "pypi"]),
    st.text("abkABK-_.\u00e9\u212a", min_size=1, max_size=6),
    st.text("abkABK-_.\u00e9\u212a", min_size=1, max_size=6),
)
def test_every_spelling_that_means_the_same_package_is_found(kind: str, name: str, other: str) -> None:
    """The search for names as bytes never misses what is the same package once it is taken apart."""
    purl = PackageURL(kind, name=f"x{name}", version="1.0.0").to_string()
    spellings = {f"x{one}" for one in (other, name, name.lower(), name.upper(), name.replace("-", "_."))}
    [wanted] = packages_of(subject(purl, "1.0.0"))
    for spelling in spellings:
        if package(ECOSYSTEMS[kind], spelling) == wanted:
            with tempfile.TemporaryDirectory() as folder:
                text = json.dumps(record("X-1", affected(ECOSYSTEMS[kind], spelling)), ensure_ascii=False)
                write(Path(folder), text.encode())
                assert wanted in read(Path(folder), subject(purl, "1.0.0")).records


def test_keys_that_are_written_with_escapes_hide_nothing(tmp_path: Path) -> None:
    text = json.dumps(FLOOD).replace('"name"', '"\\u006eame"').replace('"package"', '"p\\u0061ckage"')
    assert '"name"' not in text
    assert found(write(tmp_path, text.encode()), NET) == [("GO-2099-0001", "affected")]


def test_a_withdrawn_record_is_counted_and_left_out(tmp_path: Path) -> None:
    known = read(write(tmp_path, FLOOD | {"withdrawn": "2026-01-01T00:00:00Z"}), NET)
    assert (known.records, known.withdrawn) == ({}, 1)


def test_of_one_record_in_several_dumps_the_newest_counts(tmp_path: Path) -> None:
    newer = record("GO-2099-0001", affected("Go", "golang.org/x/net", "introduced 1.0.0")) | {"modified": "2027-01-01"}
    write_zip(tmp_path / "a.zip", newer)
    write_zip(tmp_path / "b.zip", FLOOD)
    assert found(tmp_path, NET) == []


def test_a_newer_withdrawal_takes_a_record_back(tmp_path: Path) -> None:
    write(tmp_path, FLOOD, FLOOD | {"modified": "2027-01-01", "withdrawn": "2027-01-01"})
    assert found(tmp_path, NET) == []


def test_a_damaged_record_is_told_by_its_name_and_counted(tmp_path: Path) -> None:
    cut = json.dumps(FLOOD).encode()[:-1]
    write_zip(tmp_path / "all.zip", FLOOD, cut, b'{"id": 7, "name": "golang.org/x/net"}')
    (tmp_path / "loose.json").write_bytes(cut)
    known = read(tmp_path, NET)
    assert known.damaged_count == 3
    assert [one.file for one in known.damaged] == ["all.zip/1.json", "all.zip/2.json", "loose.json"]
    assert known.damaged[0] == Damaged("all.zip/1.json", "is no JSON object, or cut off")
    assert package("Go", "golang.org/x/net") in known.records


def test_of_many_damaged_records_the_first_are_told_and_all_counted(tmp_path: Path) -> None:
    write_zip(tmp_path / "all.zip", *[b"{"] * (MOST_TOLD + 5))
    known = read(tmp_path, NET)
    assert (len(known.damaged), known.damaged_count) == (MOST_TOLD, MOST_TOLD + 5)


def test_ecosystems_of_all_records_are_known_also_of_those_that_do_not_concern_us(tmp_path: Path) -> None:
    write(
        tmp_path,
        OTHER,
        record("X-1", affected("PyPI:suffix", "x")),
        record("X-2", from_git("https://g.example.org/a/b")),
    )
    assert read(tmp_path, NET).ecosystems == {"Go", "PyPI", "GIT"}


def test_more_about_our_packages_than_any_database_has_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MOST_KEPT_BYTES", 1000)
    write(tmp_path, *[FLOOD | {"id": f"X-{number}"} for number in range(100)])
    with pytest.raises(ReleaseError, match="than any database"):
        read(tmp_path, NET)


def test_a_list_that_is_longer_than_any_is_told_as_damage(tmp_path: Path) -> None:
    write(tmp_path, record("X-1", affected("Go", "golang.org/x/net", versions=["1"] * 50_001)))
    assert read(tmp_path, NET).damaged[0].reason.endswith("expected at most 50000 items")


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    write(tmp_path, FLOOD)
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "circle").symlink_to(tmp_path)
    assert read(tmp_path, NET).records_count == 1


def test_a_dump_that_is_damaged_stops_all(tmp_path: Path) -> None:
    write(tmp_path, FLOOD)
    (tmp_path / "all.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(ReleaseError, match=r"all\.zip is damaged") as caught:
        read(tmp_path, NET)
    assert caught.value.fix == "download it again"


@pytest.mark.parametrize("name", ["empty", "absent"])
def test_a_folder_without_records_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReleaseError, match="folder of advisories"):
        read(tmp_path / name, NET)
