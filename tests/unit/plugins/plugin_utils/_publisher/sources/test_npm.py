# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An npm registry on loopback: programs in packages of their own."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from datetime import datetime, timezone
from urllib.parse import unquote

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import strangers
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import npmrc
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import Declaration
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.npm import NpmSource
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.tests.fakes.web import Answer, Web
from hypothesis import given, settings
from hypothesis import strategies as st

TARBALL = b"a package"
SHA512 = hashlib.sha512(TARBALL).hexdigest()
INTEGRITY = "sha512-" + base64.b64encode(hashlib.sha512(TARBALL).digest()).decode()


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Run without the npm configuration, the proxies and the netrc of the machine."""
    monkeypatch.setattr(npmrc, "MACHINE_FILES", ())
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")


def linux(**fields):
    """Return the manifest of one version of a package for Linux."""
    return {"os": ["linux"], "cpu": ["x64"], "dist": {"integrity": INTEGRITY}, **fields}


def main(*names, version="1.0.0", **fields):
    """Return the manifest of one version of a main package that needs these packages."""
    return {"optionalDependencies": dict.fromkeys(names, version), **fields}


def registry(packages, times=None, token=None):
    """Serve *packages*: name → version → manifest."""

    def answer(question):
        if token and question.headers["Authorization"] != f"Bearer {token}":
            return Answer(401)
        name = unquote(question.path).lstrip("/")
        if name.endswith(".tgz"):
            return Answer(200, TARBALL)
        if name not in packages:
            return Answer(404, b'{"error": "not found"}')
        manifests = {
            version: {
                "name": name,
                "version": version,
                **manifest,
                "dist": {"tarball": f"{web.url}/{name}/-/{version}.tgz", **manifest.get("dist", {})},
            }
            for version, manifest in packages[name].items()
        }
        document = {"name": name, "versions": manifests, "time": (times or {}).get(name, {})}
        return Answer(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    web = Web(answer)
    return web


def source(web, name="tool", exact=None, is_wanted=lambda version: True, **options):
    return NpmSource(Declaration("npm", name, {"registry": web.url, **options}, exact=exact, is_wanted=is_wanted))


def versions(found):
    return [release.version for release in found]


def test_the_optional_dependencies_for_platforms_are_the_assets():
    packages = {
        "@s/tool": {"1.0.0": main("@s/tool-linux-x64", "@s/tool-linux-x64-musl", "tool-helper")},
        "@s/tool-linux-x64": {"1.0.0": linux(libc=["glibc"])},
        "@s/tool-linux-x64-musl": {"1.0.0": linux(libc=["musl"])},
        "tool-helper": {"1.0.0": {}},
    }
    with registry(packages) as web:
        [release] = source(web, "@s/tool").releases()
    assert release.version == "1.0.0"
    assert release.assets == (
        Asset(
            "s-tool-linux-x64-1.0.0.tgz",
            f"{web.url}/@s/tool-linux-x64/-/1.0.0.tgz",
            None,
            {"sha512": SHA512},
            None,
            {"os": "linux", "cpu": "x64", "libc": "glibc"},
        ),
        Asset(
            "s-tool-linux-x64-musl-1.0.0.tgz",
            f"{web.url}/@s/tool-linux-x64-musl/-/1.0.0.tgz",
            None,
            {"sha512": SHA512},
            None,
            {"os": "linux", "cpu": "x64", "libc": "musl"},
        ),
    )


def test_a_package_is_fetched_and_its_integrity_compared(tmp_path):
    packages = {"tool": {"1.0.0": main("tool-linux")}, "tool-linux": {"1.0.0": linux()}}
    with registry(packages) as web:
        place = source(web)
        [release] = place.releases()
        found = Cache(tmp_path).fetch(release.assets[0], place.session)
    assert found.digests == {"sha256": hashlib.sha256(TARBALL).hexdigest(), "sha512": SHA512}


def test_a_pattern_picks_packages_among_all_dependencies():
    packages = {
        "tool": {"1.0.0": main("@s/linux", "@s/wasm", dependencies={"@s/extra": "1.0.0", "other": "1.0.0"})},
        "@s/linux": {"1.0.0": linux()},
        "@s/extra": {"1.0.0": linux()},
        "other": {"1.0.0": linux()},
        "@s/wasm": {"1.0.0": {}},
    }
    with registry(packages) as web:
        [release] = source(web, packages="@s/[el]*").releases()
        assert "/@s/wasm" not in map(unquote, web.paths)
    assert [asset.name for asset in release.assets] == ["s-extra-1.0.0.tgz", "s-linux-1.0.0.tgz"]


def test_a_package_for_one_platform_is_its_own_asset():
    with registry({"@s/linux": {"1.0.0": linux(), "1.1.0": linux()}}) as web:
        found = source(web, "@s/linux").releases()
    assert [(release.version, release.assets[0].name) for release in found] == [
        ("1.0.0", "s-linux-1.0.0.tgz"),
        ("1.1.0", "s-linux-1.1.0.tgz"),
    ]


@pytest.mark.parametrize("wanted", ["1.0.0", "=1.0.0", "v1.0.0", "npm:tool-linux@1.0.0"])
def test_dependencies_name_exact_versions_or_aliases(wanted):
    packages = {"tool": {"2.0.0": main("tool-linux", version=wanted)}, "tool-linux": {"1.0.0": linux()}}
    with registry(packages) as web:
        [release] = source(web).releases()
    assert (release.version, release.assets[0].name) == ("2.0.0", "tool-linux-1.0.0.tgz")


@pytest.mark.parametrize("wanted", ["^1.0.0", "*", "latest", "https://example.org/x.tgz", "file:../x", "", 5, None])
def test_a_dependency_that_pins_nothing_is_no_asset(wanted):
    packages = {"tool": {"1.0.0": main("tool-linux", version=wanted)}, "tool-linux": {"1.0.0": linux()}}
    with registry(packages) as web, pytest.raises(ReleaseError, match="no packages of its own"):
        source(web).releases()


def test_of_a_registry_that_lags_behind_releases_in_part_are_marked():
    packages = {
        "tool": {"1.0.0": main("linux", "musl"), "2.0.0": main("linux", "musl", version="2.0.0")},
        "linux": {"1.0.0": linux(), "2.0.0": linux()},
        "musl": {"1.0.0": linux()},
    }
    with registry(packages) as web:
        found = [(release.version, release.is_partial, release.missing) for release in source(web).releases()]
        assert found == [("1.0.0", False, ()), ("2.0.0", True, ("musl 2.0.0",))]
        partial, unwanted = source(web, exact="2.0.0").releases()
    assert (names(partial), partial.is_partial) == (["linux-2.0.0.tgz"], False)
    assert (unwanted.version, unwanted.assets) == ("1.0.0", ())


def test_a_version_whose_packages_are_not_there_says_what_is():
    packages = {"tool": {"1.0.0": main("linux"), "2.0.0": main("linux", version="2.0.0")}, "linux": {"2.0.0": linux()}}
    with registry(packages) as web:
        with pytest.raises(ReleaseError, match=r"tool at .* 1\.0\.0 is not whole") as failure:
            source(web, exact="1.0.0").releases()
        assert failure.value.found == "linux 1.0.0 (has 2.0.0)"
        with pytest.raises(ReleaseError, match="not whole"):
            source(web, is_wanted=lambda version: version == "1.0.0").releases()
        named = source(web, exact="3.0.0").releases()
    assert [(release.version, release.assets) for release in named] == [("1.0.0", ()), ("2.0.0", ())]


def names(release):
    return [asset.name for asset in release.assets]


def test_packages_for_platforms_hide_the_placeholder_of_a_main_package_that_names_its_systems():
    packages = {
        "bun": {"1.4.5": main("@oven/bun-linux-x64", version="1.4.5", os=["linux", "darwin"], cpu=["arm64", "x64"])},
        "@oven/bun-linux-x64": {"1.4.5": linux()},
    }
    with registry(packages) as web:
        [release] = source(web, "bun").releases()
    assert names(release) == ["oven-bun-linux-x64-1.4.5.tgz"]


def test_a_placeholder_is_no_asset_where_the_packages_for_platforms_are_missing():
    packages = {"bun": {"1.4.5": main("@oven/bun-linux-x64", version="1.4.5", os=["linux"], cpu=["x64"])}}
    with registry(packages) as web, pytest.raises(ReleaseError, match="is not whole") as failure:
        source(web, "bun").releases()
    assert failure.value.found == "@oven/bun-linux-x64 1.4.5 (has none)"


def test_a_package_for_a_platform_may_need_others_that_are_for_none():
    packages = {"tool": {"1.0.0": linux(**main("helper"))}, "helper": {"1.0.0": {}}}
    with registry(packages) as web:
        [release] = source(web).releases()
    assert names(release) == ["tool-1.0.0.tgz"]


@pytest.mark.parametrize("fields", [{"os": ["darwin", "linux"]}, {"os": ["linux"], "cpu": ["x64"]}])
def test_an_archive_whose_code_needs_other_packages_is_no_asset(fields):
    packages = {"tool": {"1.0.0": {**fields, "dependencies": {"clipboardy": "4.0.0"}}}}
    with registry(packages) as web, pytest.raises(ReleaseError, match="no packages of its own"):
        source(web).releases()


@pytest.mark.parametrize(
    ("fields", "platform"),
    [
        ({"os": ["darwin"]}, {"os": "darwin"}),
        ({"cpu": ["arm64"]}, {"cpu": "arm64"}),
        ({"os": "linux", "cpu": "x64"}, {"os": "linux", "cpu": "x64"}),
        ({"os": ["darwin"], "cpu": ["any"]}, {"os": "darwin", "cpu": "any"}),
    ],
)
def test_a_package_that_names_a_system_or_a_processor_is_for_a_platform(fields, platform):
    packages = {"tool": {"1.0.0": main("tool-x", "tool-linux")}, "tool-x": {"1.0.0": fields}}
    packages["tool-linux"] = {"1.0.0": linux()}
    with registry(packages) as web:
        [release] = source(web).releases()
    assert [asset.platform for asset in release.assets] == [platform, {"os": "linux", "cpu": "x64"}]


@pytest.mark.parametrize("fields", [{}, {"os": ["!win32"]}, {"os": ["any"]}, {"os": [], "cpu": None}, {"libc": "musl"}])
def test_a_package_that_names_neither_is_for_none(fields):
    packages = {"tool": {"1.0.0": main("tool-x", "tool-linux")}, "tool-x": {"1.0.0": fields}}
    packages["tool-linux"] = {"1.0.0": linux()}
    with registry(packages) as web:
        [release] = source(web).releases()
    assert names(release) == ["tool-linux-1.0.0.tgz"]


def test_a_package_that_the_registry_does_not_have_is_named_and_keeps_no_release_back():
    packages = {
        "tool": {"1.0.0": main("linux"), "2.0.0": main("linux", "@s/freebsd", version="2.0.0")},
        "linux": {"1.0.0": linux(), "2.0.0": linux()},
    }
    with registry(packages) as web:
        found = source(web).releases()
    assert [(release.version, names(release), release.missing) for release in found] == [
        ("1.0.0", ["linux-1.0.0.tgz"], ()),
        ("2.0.0", ["linux-2.0.0.tgz"], ("@s/freebsd 2.0.0",)),
    ]


def test_a_package_that_lacks_the_version_is_named_where_no_release_is_whole():
    packages = {
        "tool": {"2.0.0": main("linux", "musl", version="2.0.0")},
        "linux": {"2.0.0": linux()},
        "musl": {"1.0.0": linux()},
    }
    with registry(packages) as web:
        [release] = source(web).releases()
    assert (names(release), release.missing) == (["linux-2.0.0.tgz"], ("musl 2.0.0",))


def test_packages_of_unwanted_versions_are_not_asked_for():
    packages = {
        "tool": {"1.0.0": main("old"), "2.0.0": main("new", version="2.0.0")},
        "old": {},
        "new": {"2.0.0": linux()},
    }
    with registry(packages) as web:
        wanted, unwanted = source(web, is_wanted=lambda version: version == "2.0.0").releases()
    assert (wanted.version, unwanted.version, unwanted.assets) == ("2.0.0", "1.0.0", ())
    assert sorted(web.paths) == ["/new", "/tool"]


def test_a_release_is_as_young_as_its_newest_package():
    packages = {"tool": {"1.0.0": main("linux")}, "linux": {"1.0.0": linux()}}
    times = {"tool": {"1.0.0": "2024-01-01T00:00:00.000Z"}, "linux": {"1.0.0": "2024-02-01T00:00:00.000Z"}}
    with registry(packages, times) as web:
        [release] = source(web).releases()
    assert release.published == datetime(2024, 2, 1, tzinfo=timezone.utc)


def test_deprecated_counts_as_yanked_unless_everything_is():
    with registry({"tool": {"1.0.0": linux(deprecated="broken"), "1.0.1-rc.1": linux()}}) as web:
        found = source(web).releases()
    assert [(release.is_yanked, release.is_prerelease) for release in found] == [(True, False), (False, True)]
    with registry({"tool": {"1.0.0": linux(deprecated="moved")}}) as web:
        assert [release.is_yanked for release in source(web).releases()] == [False]


@pytest.mark.parametrize(
    ("dist", "expected"),
    [
        ({"integrity": INTEGRITY}, {"sha512": SHA512}),
        ({"integrity": f"sha1-AAAA {INTEGRITY}?options"}, {"sha512": SHA512}),
        ({"integrity": f"{INTEGRITY} sha512-{base64.b64encode(bytes(64)).decode()}"}, {}),
        ({"integrity": None, "shasum": "a" * 40}, {"sha1": "a" * 40}),
        ({"integrity": ""}, {}),
    ],
)
def test_integrity_becomes_digests(dist, expected):
    with registry({"tool": {"1.0.0": linux(dist=dist)}}) as web:
        [release] = source(web).releases()
    assert release.assets[0].digests == expected


def test_the_registry_and_the_token_of_the_machine_are_used(tmp_path, monkeypatch):
    packages = {"tool": {"1.0.0": main("linux")}, "linux": {"1.0.0": linux()}}
    with registry(packages, token="secret") as web:
        place = web.url.partition(":")[2]
        (tmp_path / "npmrc").write_text(f"registry={web.url}/\n{place}/:_authToken=${{MY_TOKEN}}\n")
        monkeypatch.setenv("MY_TOKEN", "secret")
        assert versions(NpmSource(Declaration("npm", "tool")).releases()) == ["1.0.0"]
        monkeypatch.setenv("MY_TOKEN", "hunter2")
        with pytest.raises(ReleaseError, match="401") as failure:
            NpmSource(Declaration("npm", "tool")).releases()
    assert "hunter2" not in str(failure.value)


def test_each_scope_has_its_registry_and_each_registry_its_own_token(tmp_path, monkeypatch):
    """As on GitHub's and GitLab's registries for packages, beside the public one."""
    own = {"@own/tool": {"1.0.0": main("@own/tool-linux", "@else/tool-darwin")}, "@own/tool-linux": {"1.0.0": linux()}}
    others = {"@else/tool-darwin": {"1.0.0": linux()}}
    with registry(own, token="mine") as web, registry(others, token="theirs") as elsewhere:
        lines = [
            f"@own:registry={web.url}/",
            f"registry={elsewhere.url}",
            f"{web.url.partition(':')[2]}/:_authToken=mine",
            f"{elsewhere.url.partition(':')[2]}/:_authToken=theirs",
        ]
        (tmp_path / "npmrc").write_text("\n".join(lines))
        asked = NpmSource(Declaration("npm", "@own/tool"))
        [release] = asked.releases()
        assert len(release.assets) == 2
        for asset in release.assets:
            Cache(tmp_path / "cache").fetch(asset, asked.session)
    for server, token in ((web, "mine"), (elsewhere, "theirs")):
        assert {question.headers["Authorization"] for question in server.questions} == {f"Bearer {token}"}


@pytest.mark.parametrize(("token", "is_private"), [("secret", True), (None, False)])
def test_hosts_cannot_read_what_needs_a_token(tmp_path, token, is_private):
    packages = {"tool": {"1.0.0": main("linux")}, "linux": {"1.0.0": linux()}}
    with registry(packages, token=token) as web:
        (tmp_path / "npmrc").write_text(f"registry={web.url}/\n{web.url.partition(':')[2]}/:_authToken=secret\n")
        of_source = NpmSource(Declaration("npm", "tool"))
        [release] = of_source.releases()
        [asset] = release.assets
        size = Cache(tmp_path / "cache").fetch(asset, of_source.session).size
        asked = len(web.questions)
        assert strangers.are_refused(of_source.session, asset, size) is is_private
    assert [question.headers["Authorization"] for question in web.questions[asked:]] == [None]


def test_an_unknown_package_says_so():
    with registry({}) as web, pytest.raises(ReleaseError, match=r"npm package tool at \S+ does not exist"):
        source(web).releases()


@pytest.mark.parametrize("manifest", [{}, main("helper")])
def test_a_tool_without_programs_says_so(manifest):
    with (
        registry({"tool": {"1.0.0": manifest}, "helper": {"1.0.0": {}}}) as web,
        pytest.raises(ReleaseError, match="no packages of its own") as failure,
    ):
        source(web).releases()
    assert "packages:" in failure.value.fix


def test_more_packages_than_any_tool_has_are_not_asked_for():
    packages = {"tool": {"1.0.0": main(*(f"p{number}" for number in range(301)))}}
    with registry(packages) as web, pytest.raises(ReleaseError, match="too many to ask for"):
        source(web).releases()
    assert len(web.questions) == 1


@pytest.mark.parametrize("name", ["", "../x", "a/b", "@/x", "@s/", "a b", "@s/x/y", "x@1.0.0"])
def test_a_name_that_no_package_has_is_refused_before_asking(name):
    with pytest.raises(ReleaseError, match="is not valid"):
        NpmSource(Declaration("npm", name, {"registry": "https://npm.example.org"}))


@pytest.mark.parametrize(
    "manifest",
    [
        "x",
        {"optionalDependencies": ["x"]},
        linux(dist={"tarball": "file:///etc/passwd"}),
        linux(dist={"tarball": None}),
        linux(dist={"integrity": "sha512-!!!"}),
        linux(dist={"integrity": "sha512-AAAA"}),
        linux(version="../../x"),
    ],
)
def test_a_document_that_is_not_a_registrys_is_one_clear_error(manifest):
    body = json.dumps({"versions": {"1.0.0": manifest}, "time": {}}).encode()
    if isinstance(manifest, dict) and "dist" in manifest:
        manifest["dist"].setdefault("tarball", "https://example.org/x.tgz")
        body = json.dumps({"versions": {manifest.get("version", "1.0.0"): manifest}, "time": {}}).encode()
    with Web(lambda question: Answer(200, body)) as web, pytest.raises(ReleaseError):
        source(web).releases()


keys = st.sampled_from(
    ["versions", "time", "1.0.0", "os", "cpu", "dist", "tarball", "integrity", "optionalDependencies", "tool"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("1.0.0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=10,
)


@settings(max_examples=40)
@given(values)
def test_no_answer_raises_anything_but_the_one_error(content):
    with Web(lambda question: Answer(200, json.dumps(content).encode())) as web, contextlib.suppress(ReleaseError):
        assert source(web).releases() == []
