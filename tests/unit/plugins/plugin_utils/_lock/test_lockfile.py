# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock files: written the same everywhere, read strictly, and explained to whoever edited one."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from ansible_collections.pinned.release.plugins.module_utils.archive import FORMATS
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import nested
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim, Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.forms import LARGEST_NUMBER
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    ARCHITECTURES,
    LIBCS,
    OPERATING_SYSTEMS,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import schemas
from hypothesis import assume, given, settings
from hypothesis import strategies as st

A, B, C = "a" * 64, "b" * 64, "c" * 64
#: What sha256sum prints for the entry that is shown below, in compact JSON with sorted keys.
DIGEST = "1a2ce2cd66f131985ce1afc69530d73b770c5b3aa68ef753d68d63037a75e748"
STATIC = Requirement("linux", "x86_64", libc="static", page_size=4096)
GLIBC = Requirement(
    "linux",
    "aarch64",
    libc="glibc",
    libc_min="2.28",
    interpreter="/lib/ld-linux-aarch64.so.1",
    libraries=("libc.so.6", "libstdc++.so.6"),
    versions=(("CXXABI", "1.3.8"), ("GLIBCXX", "3.4.21")),
    page_size=65536,
)
LISTED = Claim("sha256", A, "listing")
SIGNED = Proof(
    kind="minisign",
    identity=Identity.of(key="RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"),
    signer="E7620F1842B4E81F",
    file="SHA256SUMS",
    sha256=B,
    origin="https://example.org/SHA256SUMS.minisig",
    kept=(("signature", A), ("sums", B)),
    statement="timestamp:1795892736 file:SHA256SUMS hashed",
)


def asset(**changes) -> LockedAsset:
    return replace(
        LockedAsset(
            name="uv.tar.gz",
            url="https://example.org/uv.tar.gz",
            size=3,
            sha256=A,
            format="tar.gz",
            target="x86_64-unknown-linux-musl",
            requires=STATIC,
            executables={"uv": Executable("uv-1/uv", B, 2), "uvx": Executable("uv-1/uvx", B, 2)},
            evidence=Evidence((LISTED,), (SIGNED,)),
            unpacked_size=4,
            tree_sha256=C,
            files={"share/man/man1/uv.1": "uv-1/uv.1"},
            looks_beside={"uvx": 'dirname "$0'},
            wrapped=("uvx",),
            private_url="https://api.example.org/assets/1",
        ),
        **changes,
    )


def lock_of(*assets: LockedAsset) -> LockFile:
    tool = LockedTool(
        version="0.9.9",
        source={"github": "astral-sh/uv"},
        assets=assets or (asset(),),
        published="2026-01-15T09:30:00Z",
        files={"share/man/man1/uv.1": "*/uv.1"},
        verify={"minisign": (SIGNED.identity,)},
        without_digest=("uv-{version}.zip",),
        constraint="==0.9.*",
        platforms=("linux/x86_64",),
        purls=("pkg:cargo/uv",),
        catalogued=("purl", "source"),
    )
    return LockFile(("linux/x86_64",), {"uv": tool}, Policy(timedelta(days=3)))


def document(*assets: LockedAsset) -> dict:
    return json.loads(lockfile.emit(lock_of(*assets)))


def refused(text: str) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        lockfile.parse(text, "releases.lock.json")
    assert "releases.lock.json" in caught.value.what
    assert caught.value.found or caught.value.fix
    assert caught.value.fix
    assert str(caught.value).replace("\n", "").isprintable()
    return caught.value


def refused_with(way: str, value: object) -> ReleaseError:
    """Return the error for a lock in which the place that *way* leads to has another *value*."""
    changed = document()
    *steps, last = [int(step) if step.isdigit() else step for step in way.split("/")]
    place = changed
    for step in steps:
        place = place[step]
    place[last] = value
    return refused(json.dumps(changed))


# What is written.


def test_a_lock_file_reads_as_documented():
    text = lockfile.emit(lock_of())
    assert text.endswith("}\n")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert json.loads(text) == {
        "lock_version": 1,
        "platforms": ["linux/x86_64"],
        "policy": {"minimum_age": "3d"},
        "tools": {
            "uv": {
                "version": "0.9.9",
                "constraint": "==0.9.*",
                "platforms": ["linux/x86_64"],
                "source": {"github": "astral-sh/uv"},
                "published": "2026-01-15T09:30:00Z",
                "files": {"share/man/man1/uv.1": "*/uv.1"},
                "verify": {"minisign": [{"key": "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"}]},
                "accept": {"without_digest": ["uv-{version}.zip"]},
                "purl": ["pkg:cargo/uv"],
                "catalogue": ["purl", "source"],
                "assets": [
                    {
                        "name": "uv.tar.gz",
                        "url": "https://example.org/uv.tar.gz",
                        "size": 3,
                        "sha256": A,
                        "format": "tar.gz",
                        "target": "x86_64-unknown-linux-musl",
                        "requires": {"os": "linux", "arch": "x86_64", "libc": "static", "page_size": 4096},
                        "executables": {
                            "uv": {"path": "uv-1/uv", "sha256": B, "size": 2},
                            "uvx": {"path": "uv-1/uvx", "sha256": B, "size": 2},
                        },
                        "evidence": {
                            "claims": [{"algorithm": "sha256", "value": A, "origin": "listing"}],
                            "proofs": [
                                {
                                    "kind": "minisign",
                                    "identity": {"key": "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"},
                                    "kept": {"signature": A, "sums": B},
                                    "signer": "E7620F1842B4E81F",
                                    "file": "SHA256SUMS",
                                    "sha256": B,
                                    "origin": "https://example.org/SHA256SUMS.minisig",
                                    "statement": "timestamp:1795892736 file:SHA256SUMS hashed",
                                }
                            ],
                        },
                        "unpacked_size": 4,
                        "tree_sha256": C,
                        "files": {"share/man/man1/uv.1": "uv-1/uv.1"},
                        "looks_beside": {"uvx": 'dirname "$0'},
                        "wrapped": ["uvx"],
                        "private_url": "https://api.example.org/assets/1",
                    }
                ],
                "digest": DIGEST,
            }
        },
    }


def test_an_empty_lock_file_is_one():
    assert lockfile.parse(lockfile.emit(LockFile())) == LockFile()


def test_every_requirement_comes_back():
    lock = lock_of(asset(requires=GLIBC))
    assert lockfile.parse(lockfile.emit(lock)) == lock


def names(least: int = 1, most: int = 12) -> st.SearchStrategy[str]:
    return st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,11}", fullmatch=True)


LINES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1, max_size=20)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
SIZES = st.integers(0, LARGEST_NUMBER)
NUMBERS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}", fullmatch=True)
WORDS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,9}", fullmatch=True)
IDENTITIES = st.dictionaries(WORDS, LINES, min_size=1, max_size=2).map(lambda parts: Identity.of(**parts))
KEPT = st.dictionaries(WORDS, DIGESTS, min_size=1, max_size=2).map(lambda kept: tuple(sorted(kept.items())))
STEPS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp"), exclude_characters="/\\:"), min_size=1
)
PATHS = st.lists(STEPS.filter(lambda step: step not in (".", "..") and len(step) < 256), min_size=1, max_size=3).map(
    "/".join
)
FILE_NAMES = STEPS.filter(lambda name: name not in (".", "..") and len(name) < 256)
URLS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["https://example.org", "http://[::1]:8080", "https://xn--e1a.example.org:443"]),
    st.sampled_from(["/", "?", "/a b".replace(" ", "%20"), "/é"]),
    st.from_regex(r"[!-~]{0,9}", fullmatch=True),
) | st.from_regex(r"file:///[!-~]{1,9}", fullmatch=True)
REQUIREMENTS = st.builds(
    Requirement,
    os=st.sampled_from([*OPERATING_SYSTEMS, "any"]),
    arch=st.sampled_from([*ARCHITECTURES, "any"]),
    abi=st.none() | WORDS,
    libc=st.none() | st.sampled_from(LIBCS),
    libc_min=st.none() | NUMBERS,
    interpreter=st.none() | LINES,
    more_interpreters=st.lists(LINES, max_size=2).map(lambda others: tuple(sorted(others))),
    libraries=st.lists(LINES, max_size=3).map(lambda libraries: tuple(sorted(libraries))),
    cpu=st.none() | WORDS,
    fpu=st.sampled_from([None, "vfpd32", "neon"]),
    os_min=st.none() | NUMBERS,
    versions=st.dictionaries(names(), NUMBERS, max_size=2).map(lambda versions: tuple(sorted(versions.items()))),
    page_size=st.none() | st.integers(1, LARGEST_NUMBER),
)


LINKED_FILES = st.from_regex(r"(?!bin/)([a-z_][a-z._@-]{0,2}/){1,3}[a-z_][a-z._@-]{0,2}", fullmatch=True)


@st.composite
def assets(draw) -> LockedAsset:
    sha256 = draw(DIGESTS)
    name = draw(FILE_NAMES)
    claims = draw(
        st.lists(
            st.builds(Claim, st.sampled_from(["sha384", "sha512"]), st.just("0d"), LINES)
            | st.builds(Claim, st.just("sha256"), st.just(sha256), LINES),
            max_size=3,
        )
    )
    other_files = FILE_NAMES.filter(lambda other: other != name)
    said = st.just("") | LINES
    proofs = draw(
        st.lists(
            st.builds(Proof, WORDS, IDENTITIES, LINES, st.just(name), st.just(sha256), LINES, KEPT, said, said)
            | st.builds(Proof, WORDS, IDENTITIES, LINES, other_files, DIGESTS, LINES, KEPT, said, said),
            max_size=3,
        )
    )
    executables = draw(st.dictionaries(names(), st.builds(Executable, PATHS, DIGESTS, SIZES), min_size=1, max_size=2))
    looks_beside = draw(st.dictionaries(st.sampled_from(sorted(executables)), LINES))
    return LockedAsset(
        name=name,
        url=draw(URLS),
        size=draw(SIZES),
        sha256=sha256,
        format=draw(st.sampled_from(FORMATS)),
        target=draw(
            st.sampled_from(["any", "macos/powerpc", "x86_64-unknown-linux-gnu", "arm-unknown-linux-musleabihf"])
        ),
        requires=draw(REQUIREMENTS),
        executables=executables,
        evidence=Evidence(tuple(claims), tuple(proofs)),
        unpacked_size=draw(SIZES),
        tree_sha256=draw(DIGESTS),
        files=draw(st.dictionaries(LINKED_FILES, PATHS, max_size=2).filter(lambda files: not nested(files))),
        looks_beside=looks_beside,
        wrapped=tuple(sorted(looks_beside)[: draw(st.integers(0, 1))]),
        private_url=draw(st.just("") | URLS.filter(lambda url: url.startswith("http"))),
    )


PLATFORMS = (
    st.lists(st.sampled_from(["linux/x86_64", "linux/armv7", "macos/aarch64"]), unique=True).map(sorted).map(tuple)
)
LOCKS = st.builds(
    LockFile,
    platforms=PLATFORMS,
    tools=st.dictionaries(
        names(),
        st.builds(
            LockedTool,
            version=st.from_regex(r"[0-9A-Za-z][0-9A-Za-z._+~!-]{0,9}", fullmatch=True),
            source=st.dictionaries(
                names(), LINES | st.dictionaries(names(), LINES, min_size=1, max_size=2), min_size=1, max_size=2
            ),
            assets=st.lists(assets(), min_size=1, max_size=3, unique_by=lambda one: one.name).map(tuple),
            published=st.none() | st.datetimes().map(lambda moment: moment.strftime("%4Y-%m-%dT%H:%M:%SZ").zfill(20)),
            asset=st.none() | LINES,
            executables=st.dictionaries(names(), LINES, max_size=2),
            files=st.dictionaries(LINKED_FILES, LINES, max_size=2).filter(lambda files: not nested(files)),
            verify=st.dictionaries(WORDS, st.lists(IDENTITIES, min_size=1, max_size=2).map(tuple), max_size=2),
            without_digest=st.lists(LINES, unique=True, max_size=2).map(sorted).map(tuple),
            require=st.lists(WORDS, unique=True, max_size=2).map(sorted).map(tuple),
            accepted=st.dictionaries(
                st.sampled_from(["republished", "signer", "vanished_asset", "weaker_evidence"]),
                st.lists(LINES.map("1.0 {}".format), unique=True, min_size=1, max_size=2).map(sorted).map(tuple),
                max_size=2,
            ),
            constraint=st.just("") | LINES,
            platforms=PLATFORMS,
        ),
        max_size=2,
    ),
    policy=st.builds(
        Policy,
        st.integers(0, 99_999).map(lambda minutes: timedelta(minutes=minutes))
        | st.integers(0, 99_999).map(lambda weeks: timedelta(weeks=weeks)),
        st.integers(1, 999_999).map(lambda size: size * 1024**2)
        | st.integers(1, 999_999).map(lambda size: size * 1024**3),
        st.none() | st.integers(1, 999_999).map(lambda size: size * 1024**2),
        st.lists(WORDS, unique=True, max_size=2).map(sorted).map(tuple),
        st.lists(st.sampled_from(["github", "pypi:uv", "github:a b/*"]), unique=True).map(sorted).map(tuple),
        st.lists(st.sampled_from(["github.com", "*.example.org", "::1"]), unique=True).map(sorted).map(tuple),
        st.none() | st.integers(1, 99_999).map(lambda days: timedelta(days=days)),
    ),
    confirmed=st.none() | st.dates().map(lambda day: day.isoformat()),
)


@given(LOCKS)
def test_what_is_written_is_read_back(lock):
    text = lockfile.emit(lock)
    assert lockfile.parse(text) == lock
    assert lockfile.emit(lockfile.parse(text)) == text
    assert text.isascii()


@given(LOCKS, st.data())
def test_the_order_in_which_things_were_found_changes_no_byte(lock, data):
    def shuffled(values):
        return tuple(data.draw(st.permutations(list(values))))

    def in_another_order(one: LockedAsset) -> LockedAsset:
        requires = replace(one.requires, libraries=shuffled(one.requires.libraries))
        evidence = Evidence(shuffled(one.evidence.claims), shuffled(one.evidence.proofs))
        return replace(one, requires=requires, evidence=evidence, executables=dict(shuffled(one.executables.items())))

    tools = {
        name: replace(
            tool,
            source=dict(shuffled(tool.source.items())),
            assets=shuffled(in_another_order(one) for one in tool.assets),
            platforms=shuffled(tool.platforms),
        )
        for name, tool in shuffled(lock.tools.items())
    }
    shuffled_lock = replace(lock, platforms=shuffled(lock.platforms), tools=tools)
    assert lockfile.emit(shuffled_lock) == lockfile.emit(lock)


def test_two_controllers_that_found_the_same_hold_equal_tools():
    one, other = asset(name="a"), asset(name="b")
    claims = (LISTED, Claim("sha512", "0d", "SHA512SUMS"))
    proofs = (SIGNED, replace(SIGNED, file="SHA512SUMS"))
    assert LockedTool("1", {}, (one, other)) == LockedTool("1", {}, (other, one))
    assert asset(evidence=Evidence(claims, proofs)) == asset(evidence=Evidence(claims[::-1], proofs[::-1]))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": "a\nb"}, "tools.uv.assets[0].name"),
        ({"url": "ftp://example.org/uv"}, "tools.uv.assets[0].url"),
        ({"private_url": "file:///srv/uv"}, "tools.uv.assets[0].private_url"),
        ({"requires": replace(STATIC, interpreter="/lib/\x1b[31mld.so")}, "tools.uv.assets[0].requires.interpreter"),
        ({"requires": replace(STATIC, libraries=("liba.so", ""))}, "tools.uv.assets[0].requires.libraries[0]"),
        ({"looks_beside": {"sudo": "$0"}}, "tools.uv.assets[0].executables"),
        ({"wrapped": ("sudo",)}, "tools.uv.assets[0].executables"),
        ({"wrapped": ("a b",)}, "tools.uv.assets[0].wrapped[0]"),
        ({"executables": {"my tool": Executable("uv", B, 2)}}, 'tools.uv.assets[0].executables."my tool"'),
        ({"executables": {"uv": Executable("../uv", B, 2)}}, "tools.uv.assets[0].executables.uv.path"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(changes, place):
    with pytest.raises(ReleaseError) as caught:
        lockfile.emit(lock_of(asset(**changes)))
    assert caught.value.what == f"what was found cannot be pinned: {place}"
    assert "manifest" in str(caught.value.fix)


# What is refused, and how it is said.


def test_a_file_that_is_no_lock_file_is_told_so():
    assert refused("").found == "an empty file"
    assert refused("uv: {version: 1}\n").found == "Expecting value in line 1, column 1"
    assert " in line 1, column " in refused('{"lock_version": 1,}').found
    assert refused("[]").found == "an empty list"
    assert refused('"x"').found == '"x"'
    assert refused('{"lockfileVersion": 3}').found == 'a mapping of "lockfileVersion"'


@pytest.mark.parametrize(
    ("version", "found"), [(2, "2"), (0, "0"), (True, "true"), (1.0, "1.0"), ("1", '"1"'), (None, "null")]
)
def test_another_lock_version_is_refused_with_what_to_do(version, found):
    error = refused(json.dumps({**document(), "lock_version": version}))
    assert error.what == f"releases.lock.json has lock_version {found}"
    assert error.expected == "lock_version 1, which this version of pinned.release reads"
    assert "update the collection" in error.fix


def test_a_merge_conflict_is_recognised():
    ours, theirs = lockfile.emit(lock_of()), lockfile.emit(lock_of(asset(size=4)))
    lines = [
        line
        for one, other in zip(ours.splitlines(), theirs.splitlines(), strict=True)
        for line in ([one] if one == other else ["<<<<<<< HEAD", one, "=======", other, ">>>>>>> upgrade"])
    ]
    error = refused("\n".join(lines))
    line = lines.index("<<<<<<< HEAD") + 1
    assert error.what == f"releases.lock.json holds a merge conflict, in line {line}"
    commands = "git checkout --theirs -- releases.lock.json && ansible-playbook pinned.release.lock"
    assert error.fix.endswith(commands)


@pytest.mark.parametrize("is_whole", [True, False], ids=["of the lock", "of a tool"])
def test_a_lock_from_before_it_remembered_its_question_is_refused_with_the_line_that_makes_it_anew(is_whole):
    changed = document()
    for key in ("platforms", "constraint"):
        del changed["tools"]["uv"][key]
    if is_whole:
        del changed["platforms"]
    with pytest.raises(ReleaseError) as caught:
        lockfile.parse(json.dumps(changed), "/srv/my locks/releases.lock.json")
    assert caught.value.expected == "the key platforms"
    assert "rm '/srv/my locks/releases.lock.json' && ansible-playbook pinned.release.lock" in str(caught.value.fix)


@pytest.mark.parametrize("place", ["", "tools/uv/", "tools/uv/assets/0/", "tools/uv/assets/0/requires/"])
def test_an_unknown_key_is_refused_and_may_be_a_newer_one(place):
    error = refused_with(f"{place}sha3", A)
    assert error.what.split(";")[0].endswith("sha3")
    assert error.found == '"sha3"'
    assert "update the collection" in error.fix


def test_a_missing_key_is_named():
    changed = document()
    del changed["tools"]["uv"]["assets"][0]["sha256"]
    error = refused(json.dumps(changed))
    assert error.what == "releases.lock.json is not valid at tools.uv.assets[0]"
    assert error.expected == "the key sha256"


def test_a_key_that_stands_twice_is_refused():
    text = lockfile.emit(lock_of()).replace('"size": 3,', '"size": 3, "size": 5,')
    assert refused(text).found == 'the key "size" stands 2 times in one object'


def test_many_keys_are_counted_in_good_time():
    text = json.dumps({**document(), "tools": {str(number): 1 for number in range(100_000)}})
    assert "stands 2 times" in refused(text[:-2] + ', "7": 1}}').found


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_json(number):
    text = lockfile.emit(lock_of()).replace('"size": 3', f'"size": {number}')
    assert refused(text).found == f"{number} is no number"


@pytest.mark.parametrize("number", ["-1", "1.0", "3e0", "1e999", "true", '"3"', "null", "[3]", str(2**53), "9" * 3000])
def test_a_size_is_a_whole_number(number):
    error = refused(lockfile.emit(lock_of()).replace('"size": 3', f'"size": {number}'))
    assert error.what == "releases.lock.json is not valid at tools.uv.assets[0].size"
    assert error.expected == "a whole number from 0 to 9007199254740991"
    assert len(error.found) <= 120


@pytest.mark.parametrize(
    "nested", ["[" * 100_000, '{"a":' * 100_000, "[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900]
)
def test_endless_nesting_is_one_clear_error(nested):
    refused(nested)
    if nested.endswith(("]", "}")):
        refused(json.dumps(document()).replace("[]", nested).replace('"uv.tar.gz"', nested))


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/etc/passwd",
            "../uv",
            "bin/../../uv",
            "bin/..",
            "./uv",
            "bin//uv",
            "bin/",
            "",
            ".",
            "..",
            "bin\\uv",
            "C:uv",
        ),
        *("a\nb", "a\0b", "a\x1bb", "a\u2028b", "\ud800", "a" * 256, "a/" * 600 + "a"),
    ],
)
def test_a_program_lies_inside_its_asset(path):
    error = refused_with("tools/uv/assets/0/executables/uv/path", path)
    assert error.what == "releases.lock.json is not valid at tools.uv.assets[0].executables.uv.path"
    assert error.expected == "a plain path inside the asset: relative, without .. and backslashes"


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b", "a\\b", "a\nb", "-rf", ".hidden", "a b", "é", "a" * 129, "a;b", "$x"]
)
def test_a_name_is_a_plain_file_name(name):
    for place in ("tools", "tools/uv/assets/0/executables"):
        error = refused_with(f"{place}/{name}" if "/" not in name else place, {name: {}})
        assert error.expected == "a name of letters, digits and . _ + -"
    if name not in (".hidden", "-rf", "a b", "é", "a" * 129, "a;b", "$x"):
        assert refused_with("tools/uv/assets/0/name", name).expected == "the name of a file, without a folder"


@pytest.mark.parametrize("digest", [A.upper(), A[:-1], A + "a", "sha256:" + A, f" {A}", A + "\n", "", None, 5])
def test_a_digest_is_64_hexadecimal_digits(digest):
    error = refused_with("tools/uv/assets/0/sha256", digest)
    assert error.what == "releases.lock.json is not valid at tools.uv.assets[0].sha256"
    assert error.expected == "a SHA-256 digest: 64 hexadecimal digits in lower case"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://example.org/uv",
            "//example.org/uv",
            "uv.tar.gz",
            "https://",
            "https:///uv",
            "https://example.org/a b",
        ),
        *(
            "https://[::1/uv",
            "https://[:::]/uv",
            "https://example.org:99999/",
            "https://example.org:0/",
            "file://host/uv",
        ),
        *(
            "file:///",
            "https://example.org\\@evil.example.org/",
            "javascript:alert(1)",
            "https://example.org/\n",
            "",
            1,
        ),
    ],
)
def test_an_address_is_on_the_web_or_a_file(url):
    error = refused_with("tools/uv/assets/0/url", url)
    assert error.expected == "an address that begins with https://, http:// or file:///, without user and password"


@pytest.mark.parametrize(
    "url", ["file:///srv/releases/uv%201.tar.gz", "http://127.0.0.1:8080/uv", "https://[::1]?uv=1#x@y"]
)
def test_a_mirror_or_a_folder_is_an_address(url):
    lock = lock_of(asset(url=url))
    assert lockfile.parse(lockfile.emit(lock)) == lock


def test_a_password_in_an_address_is_refused_and_not_repeated():
    error = refused_with("tools/uv/assets/0/url", "https://me:secret@example.org/uv")
    assert error.found == '"https://…@example.org/uv"'
    assert "secret" not in str(error)


def test_evidence_that_contradicts_the_digest_is_refused():
    error = refused_with("tools/uv/assets/0/sha256", B)
    assert error.what == "releases.lock.json is not valid at tools.uv.assets[0].sha256"
    assert error.expected == f"sha256 {A}, as its evidence says"
    assert error.found == f'"{B}"'
    claims = [{"algorithm": "sha512", "value": value, "origin": "x"} for value in ("0d", "0e")]
    assert refused_with("tools/uv/assets/0/evidence/claims", claims).expected == "sha512 0e, as its evidence says"


def test_a_proof_of_other_bytes_than_the_asset_has_is_refused():
    error = refused_with("tools/uv/assets/0/evidence/proofs/0/file", "uv.tar.gz")
    assert error.what == "releases.lock.json is not valid at tools.uv.assets[0].sha256"
    assert error.expected == f"sha256 {B}, as its evidence says"


def test_a_proof_says_nothing_where_its_signer_does():
    lock = lock_of(asset(evidence=Evidence((LISTED,), (replace(SIGNED, statement=""),))))
    text = lockfile.emit(lock)
    assert "statement" not in text
    assert lockfile.parse(text) == lock


def test_a_lock_file_with_evidence_as_it_was_before_is_refused_with_how_to_make_it_anew():
    before = [{"kind": "digest", "algorithm": "sha256", "value": A, "origin": "listing"}]
    error = refused_with("tools/uv/assets/0/evidence", before)
    assert error.what == "releases.lock.json is not valid at tools.uv.assets[0].evidence"
    assert "lock again with pinned.release.lock" in error.fix


def test_one_name_has_one_digest():
    error = refused_with("tools/uv/assets", document(asset(target="any"))["tools"]["uv"]["assets"] * 2)
    assert error.expected == "each asset once for each target"
    other = {**document(asset(sha256=B, evidence=Evidence(), target="any"))["tools"]["uv"]["assets"][0]}
    error = refused_with("tools/uv/assets", [*document()["tools"]["uv"]["assets"], other])
    assert error.what == "releases.lock.json is not valid at tools.uv.assets[1].sha256"
    assert error.expected == f"{A}, as for the other asset of this name"


def test_a_universal_program_is_locked_for_each_of_its_targets():
    lock = lock_of(asset(target="x86_64-apple-darwin"), asset(target="aarch64-apple-darwin"))
    assert lockfile.parse(lockfile.emit(lock)) == lock


@pytest.mark.parametrize(
    ("way", "value"),
    [
        ("platforms", "linux/x86_64"),
        ("platforms", ["Linux"]),
        ("tools", []),
        ("tools/uv", None),
        ("tools/uv/version", "../1"),
        ("tools/uv/version", 0.9),
        ("tools/uv/source", {}),
        ("tools/uv/source", {"github": ["astral-sh/uv"]}),
        ("tools/uv/source", {"http": "x", "versions": {}}),
        ("tools/uv/source", {"http": "x", "versions": {"github": 5}}),
        ("tools/uv/source", {"http": "x", "versions": {"index": "x", "versions": {"github": "a/b"}}}),
        ("tools/uv/assets", []),
        ("tools/uv/assets", {}),
        ("tools/uv/published", "yesterday"),
        ("tools/uv/asset", ["uv-*"]),
        ("tools/uv/executables", ["uv"]),
        ("tools/uv/executables", {}),
        ("tools/uv/assets/0", "uv.tar.gz"),
        ("tools/uv/assets/0/format", "rar"),
        ("tools/uv/assets/0/format", ["zip"]),
        ("tools/uv/assets/0/target", "any thing"),
        ("tools/uv/assets/0/executables", {}),
        ("tools/uv/files", {}),
        ("tools/uv/files", {"uv.1": "*"}),
        ("tools/uv/files", {"share/../uv.1": "*"}),
        ("tools/uv/assets/0/files", {}),
        ("tools/uv/assets/0/files", {"../uv.1": "uv.1"}),
        ("tools/uv/assets/0/files", {"share/a": "../uv.1"}),
        ("tools/uv/assets/0/files", {"share/a": "a", "share/a/b": "b"}),
        ("tools/uv/assets/0/requires/os", "Linux"),
        ("tools/uv/assets/0/requires/arch", "amd64"),
        ("tools/uv/assets/0/requires/libc", "gnu"),
        ("tools/uv/assets/0/requires/libc_min", "new"),
        ("tools/uv/assets/0/requires/page_size", 0),
        ("tools/uv/assets/0/requires/libraries", "libc.so.6"),
        ("tools/uv/assets/0/requires/versions", {"GLIBCXX": "x"}),
        ("tools/uv/verify", {}),
        ("tools/uv/verify", {"minisign": []}),
        ("tools/uv/verify/minisign", [{}]),
        ("tools/uv/verify/minisign", "RWQ"),
        ("tools/uv/verify/minisign/0/key", ""),
        ("tools/uv/accept", {}),
        ("tools/uv/accept/signer", ["no_version"]),
        ("tools/uv/require", []),
        ("policy/require", ["Digest"]),
        ("policy/hosts", "github.com"),
        ("policy/valid_for", "90"),
        ("confirmed", "2026-13-01"),
        ("confirmed", "2026-01-31T00:00:00Z"),
        ("tools/uv/accept/without_digest", []),
        ("tools/uv/accept/without_digest", "*"),
        ("tools/uv/assets/0/evidence/claims/0/value", "none"),
        ("tools/uv/assets/0/evidence/claims/0/algorithm", "SHA-256"),
        ("tools/uv/assets/0/evidence/proofs/0/kind", "Minisign!"),
        ("tools/uv/assets/0/evidence/proofs/0/file", "../SHA256SUMS"),
        ("tools/uv/assets/0/evidence/proofs/0/sha256", "0d"),
        ("tools/uv/assets/0/evidence/proofs/0/kept", {}),
        ("tools/uv/assets/0/evidence/proofs/0/kept/signature", "0d"),
        ("tools/uv/assets/0/evidence/proofs/0/statement", "a\nb"),
        ("tools/uv/assets/0/evidence/proofs/0/statement", ""),
        ("tools/uv/assets/0/evidence/proofs/0/tag", "a\nb"),
        ("tools/uv/assets/0/evidence/proofs/0/tag", ""),
    ],
)
def test_what_an_edit_broke_is_found_where_it_is(way, value):
    error = refused_with(way, value)
    place = re.sub(r"\.(\d+)", r"[\1]", way.replace("/", "."))
    assert error.what.startswith(f"releases.lock.json is not valid at {place}")
    assert "restore it from version control" in error.fix


@pytest.mark.parametrize(
    ("way", "value"),
    [
        ("tools/uv/version", "0.9.10"),
        ("tools/uv/source/github", "someone/uv"),
        ("tools/uv/verify/minisign/0/key", "RWTMbAB6PBdM1tlGYuvGUMnzABfxDaAV8pFie2Hh7hdnfrERnIa6TStI"),
        ("tools/uv/accept/without_digest/0", "*"),
        ("tools/uv/assets/0/evidence/proofs", []),
        ("tools/uv/assets/0/url", "https://example.org/other.tar.gz"),
        ("tools/uv/assets/0/requires/libc", "glibc"),
        ("tools/uv/assets/0/executables/uv/sha256", A),
        ("tools/uv/digest", B),
    ],
)
def test_an_edit_that_breaks_nothing_is_noticed_all_the_same(way, value):
    found = refused_with(way, value)
    assert found.what.endswith("the entry of uv was edited, or merged from two")
    assert "git checkout -- " in found.fix


def test_changes_of_different_tools_can_be_merged():
    both = document()
    both["tools"]["ruff"] = json.loads(lockfile.emit(LockFile(("linux/x86_64",), {"ruff": lock_of().tools["uv"]})))[
        "tools"
    ]["ruff"]
    assert sorted(lockfile.parse(json.dumps(both)).tools) == ["ruff", "uv"]


@given(st.text())
def test_any_text_is_a_lock_or_one_clear_error(text):
    refused(text)


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_lock_is_a_lock_or_one_clear_error(data):
    text = lockfile.emit(lock_of(asset(), asset(name="b", requires=GLIBC)))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    damaged = text[:start] + data.draw(st.text(max_size=5) | st.sampled_from([*'{}[]",:0\\', "null"])) + text[end:]
    try:
        lock = lockfile.parse(damaged, "releases.lock.json")
    except ReleaseError:
        refused(damaged)
    else:
        assert lockfile.parse(lockfile.emit(lock)) == lock


# What the schema says.


@pytest.fixture(scope="module")
def validator():
    return schemas.validator("releases.lock")


def signed(found: dict) -> dict:
    """Return *found* with the digests that its entries have now, as a lock would have that said so from the start."""
    entries = found["tools"] if isinstance(found.get("tools"), dict) else {}
    for entry in entries.values():
        if (
            isinstance(entry, dict)
            and isinstance(entry.get("digest"), str)
            and re.fullmatch("[0-9a-f]{64}", entry["digest"])
        ):
            entry["digest"] = lockfile.entry_digest(entry)
    return found


def contradicts_itself(found: dict) -> bool:
    """Tell what no schema can: whether parts of a document that is valid by itself speak against each other."""
    for tool in found["tools"].values():
        digests, seen = {}, set()
        for one in tool["assets"]:
            said = {("sha256", one["sha256"])}
            said |= {(claim["algorithm"], claim["value"]) for claim in one["evidence"]["claims"]}
            said |= {("sha256", proof["sha256"]) for proof in one["evidence"]["proofs"] if proof["file"] == one["name"]}
            if len({algorithm for algorithm, value in said}) != len(said):
                return True
            if digests.setdefault(one["name"], one["sha256"]) != one["sha256"] or (one["name"], one["target"]) in seen:
                return True
            if not {*one.get("looks_beside", {}), *one.get("wrapped", ())} <= set(one["executables"]):
                return True
            seen.add((one["name"], one["target"]))
            try:
                parts = urlsplit(one["url"])
                if parts.port == 0 or (":" in (parts.hostname or "") and not ipaddress.ip_address(parts.hostname)):
                    return True
            except ValueError:
                return True
    return False


POLICY = {
    "minimum_age": "3d",
    "maximum_size": "500MiB",
    "require": ["digest", "minisign"],
    "sources": ["github:astral-sh/*", "pypi"],
    "hosts": ["*.example.org", "github.com"],
    "valid_for": "90d",
}
JUNK = st.one_of(
    st.none() | st.booleans() | st.integers(-1, 2) | st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [2**53, 2**53 - 1, 1.0, [], {}, "", "x", "X", "any", "a/b", "..", "digest", "sha256", A, B, "0d", "2.28"]
    ),
    st.sampled_from(
        ["a\n", "a\x00", "\ud800", "\u2028", "file:///x", "https://h/", "https://u@h/", "http://[::]:0", " ", "é"]
    ),
    st.sampled_from(
        ["linux/x86_64", "linux", "2024-01-15T09:30:00Z", "a" * 128, "a" * 129, "a" * 256, "1!2~3", "zip", "./a"]
    ),
    st.text(max_size=4),
    st.lists(st.sampled_from(["x", "", 1]), max_size=2),
    st.dictionaries(st.sampled_from(["x", "", "a b", "kind"]), st.sampled_from(["x", 1]), max_size=2),
)


KEYS = st.sampled_from(["x", "os", "tools", "", "abi", "page_size", "versions", "a/b"])


@given(st.data())
@settings(max_examples=500)
def test_parse_accepts_what_the_schema_does_and_nothing_else(validator, data):
    whole = {**document(asset(), asset(name="b", requires=GLIBC)), "policy": POLICY, "confirmed": "2026-01-31"}
    found = signed(schemas.changed(data, whole, JUNK, KEYS))
    try:
        lockfile.parse(json.dumps(found))
    except ReleaseError:
        assert not validator.is_valid(found) or contradicts_itself(found)
    else:
        assert validator.is_valid(found), next(validator.iter_errors(found))


@given(LOCKS)
def test_every_lock_fits_the_schema(validator, lock):
    validator.validate(json.loads(lockfile.emit(lock)))


@given(
    st.text(max_size=8),
    st.sampled_from([("name",), ("executables", "uv", "path"), ("url",), ("requires", "cpu"), ("target",)]),
)
def test_parse_and_schema_agree_on_what_texts_are(validator, text, way):
    assume(text)
    found = document()
    place = found["tools"]["uv"]["assets"][0]
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = f"https://h/{text}" if way == ("url",) else text
    try:
        lockfile.parse(json.dumps(signed(found)))
        is_accepted = True
    except ReleaseError:
        is_accepted = False
    assert is_accepted == (validator.is_valid(found) and not contradicts_itself(found))


def test_every_field_of_the_schema_is_described():
    assert schemas.undescribed(schemas.schema("releases.lock")) == []
