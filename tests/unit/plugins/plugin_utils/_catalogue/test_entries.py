# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue's entries: each chooses one program from a recorded release, for each kind of host.

Only names are recorded, so only names decide here. What is inside is not known: whether a build whose name says no libc
is static, or whether a file is there that a rule makes the address of. A recorded release may lack files, too: then the
table has no choice where there is one. That an entry can really be locked is tried for those of PyPI and npm, by the
gate "catalogue" of ``make gate``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime, timezone

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Found
from ansible_collections.pinned.release.plugins.plugin_utils._asset.program_names import link_names
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import catalogued

ENTRIES = catalogued.entries()
RECORDED = catalogued.recorded()
#: Files that are the program, as it is or packed; all others are archives.
BARE = re.compile(r"(?!.*\.(?:tar\.\w+|tgz|tbz|txz|zip|whl)$)")
#: From where no file is a bare program, whatever its name.
PACKAGED = {"npm", "pypi"}
ELSEWHERE = [tool for tool, entry in ENTRIES.items() if not PACKAGED & entry["source"].keys()]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Run without the proxies, tokens and the netrc of the machine."""
    for name in ("HTTP_PROXY", "http_proxy", "GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")


def test_entries_are_sorted_and_at_least_150_and_each_has_a_recorded_release():
    assert list(ENTRIES) == sorted(ENTRIES)
    assert len(ENTRIES) >= 150
    assert list(RECORDED) == list(ENTRIES)


@pytest.mark.parametrize("tool", ENTRIES)
def test_an_entry_chooses_what_a_person_found_right(tool):
    line = RECORDED[tool]
    assert line["chosen"].keys() >= {"gnu"}
    assert catalogued.chosen(catalogued.wanted(tool, ENTRIES[tool]), line) == line["chosen"]


@pytest.mark.parametrize("tool", ENTRIES)
def test_an_entry_is_described_in_a_line_and_says_where_it_was_seen(tool):
    entry = ENTRIES[tool]
    assert re.fullmatch(r"[A-Za-z].{8,70}[^.]", entry["description"])
    assert entry["seen"]
    assert all(address.startswith("https://") for address in entry["seen"])
    assert len(entry["seen"]) > 1 or "verify" not in entry, "where the identity was seen"


@pytest.mark.parametrize("tool", ENTRIES)
def test_an_entry_that_demands_no_proof_says_what_its_publisher_was_seen_to_offer(tool):
    assert ENTRIES[tool].get("offers", "") == catalogued.offered(ENTRIES[tool], RECORDED[tool])


@pytest.mark.parametrize(
    ("names", "offers"),
    [
        (["tool.tgz", "checksums.txt", "checksums.txt.sig", "checksums.txt.pem"], "cosign signatures, sums"),
        (["tool.tgz", "tool.tgz.sig", "tool.tgz.sha256"], "signatures (.sig), sums"),
        (["tool.zip.minisig", "SHASUMS256.txt.asc"], "OpenPGP signatures, minisign signatures"),
        (["tool.sigstore.json", "multiple.intoto.jsonl"], "SLSA provenance, sigstore bundles"),
        (["tool.tgz", "tool.tgz.sbom", "tool.tgz.md5"], ""),
    ],
)
def test_names_tell_which_proofs_are_offered(names, offers):
    entry = {"source": {"github": "a/b"}}
    assert catalogued.offered(entry, {"tag": "1.0", "assets": names}) == offers
    assert catalogued.offered({**entry, "verify": {"gpg": "x"}}, {"tag": "1.0", "assets": names}) == ""


def test_most_entries_say_how_they_can_be_proven():
    said = {tool for tool, entry in ENTRIES.items() if "verify" in entry or "offers" in entry}
    assert len(said) >= len(ENTRIES) // 2
    assert ENTRIES["jq"]["offers"].startswith("GitHub attestations")


def test_another_name_leads_to_one_entry():
    others = [*ENTRIES, *(word for entry in ENTRIES.values() for word in entry.get("also", []))]
    assert [word for word, count in Counter(others).items() if count > 1] == []
    assert all(re.fullmatch(r"[A-Za-z0-9._+-]+", word) for word in others)


def test_packages_of_the_python_index_and_npm_need_no_proof_that_a_mirror_of_these_has_not():
    assert {tool for tool, entry in ENTRIES.items() if "verify" in entry} <= set(ELSEWHERE)


def test_a_tool_that_its_publisher_did_not_package_says_who_did():
    repackaged = {tool for tool, entry in ENTRIES.items() if "repackaged" in entry}
    assert repackaged == {"clang-format", "cmake", "ninja"}


@pytest.mark.parametrize("tool", ELSEWHERE)
def test_a_bare_program_is_called_as_people_call_it(tool):
    """A file that is the program has the tool's name when it is installed, unless the entry gives it another."""
    entry = catalogued.wanted(tool, ENTRIES[tool])
    version, assets = catalogued.files(entry, RECORDED[tool])
    chosen = set(RECORDED[tool]["chosen"].values())
    names = {asset.name for asset in assets if asset.url in chosen or asset.name in chosen}
    for name in sorted(filter(BARE.match, names)):
        program = Found(re.sub(r"\.(?:gz|xz|bz2|zst)$", "", name), "0" * 64, 1, (Requirement("any", "any"),))
        assert entry.executables or link_names([program], tool, version) == [tool]


# Indexes, in documents of the shape that publishers have.

OTHER = "0" * 64
GO = [
    {"version": "go1.27rc1", "stable": False, "files": []},
    {
        "version": "go1.26.3",
        "stable": True,
        "files": [
            {"filename": "go1.26.3.src.tar.gz", "os": "", "arch": "", "sha256": OTHER, "size": 9, "kind": "source"},
            {"filename": "go1.26.3.linux-amd64.tar.gz", "sha256": OTHER, "size": 5, "kind": "archive"},
            {"filename": "go1.26.3.darwin-arm64.pkg", "sha256": OTHER, "size": 6, "kind": "installer"},
        ],
    },
]
ZIG = {
    "master": {"version": "0.16.0-dev.1", "date": "2025-10-12"},
    "0.15.2": {
        "date": "2025-10-11",
        "src": {"tarball": "https://ziglang.org/download/0.15.2/zig-0.15.2.tar.xz", "shasum": OTHER, "size": "21"},
        "x86_64-linux": {
            "tarball": "https://ziglang.org/download/0.15.2/zig-x86_64-linux-0.15.2.tar.xz",
            "shasum": OTHER,
            "size": "53733924",
        },
    },
}
NODE = [
    {"version": "v26.5.0", "date": "2026-07-20", "files": ["linux-x64", "osx-arm64-tar"], "lts": False},
    {"version": "v22.17.1", "date": "2025-07-15", "files": ["linux-x64", "osx-arm64-tar"], "lts": "Jod"},
]


def listed(source, document):
    """Return the releases of a *source* whose index is this *document*, on loopback in place of where it lies."""
    with Web(lambda question: Answer(200, json.dumps(document).encode())) as web:
        here = {"index": web.url + "/index.json"}
        if "index" in source:
            return open_source({**source, **here}).releases()
        return open_source({**source, "versions": {**source["versions"], **here}}).releases()


def test_gos_archives_are_listed_with_their_digests():
    [release] = listed(ENTRIES["go"]["source"], GO)
    [archive] = release.assets
    assert (release.version, archive.name) == ("1.26.3", "go1.26.3.linux-amd64.tar.gz")
    assert archive.digests == {"sha256": OTHER}


def test_zigs_releases_are_listed_with_their_days():
    [release] = listed(ENTRIES["zig"]["source"], ZIG)
    assert release.version == "0.15.2"
    assert release.published == datetime(2025, 10, 12, tzinfo=timezone.utc)
    assert "zig-x86_64-linux-0.15.2.tar.xz" in [asset.name for asset in release.assets]


def test_nodes_versions_are_listed_with_their_days_whether_they_are_supported_for_long_or_not():
    found = listed(ENTRIES["node"]["source"], NODE)
    assert [release.version for release in found] == ["26.5.0", "22.17.1"]
    assert all(release.published for release in found)
