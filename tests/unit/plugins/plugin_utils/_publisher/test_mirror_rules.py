# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses a site's rules make of one, and which rules are refused before anything is asked."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import mirrors
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.mirrors import SITE_VARIABLE, read, site_file
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.routes import credentials
from ansible_collections.pinned.release.plugins.plugin_utils._values.secrets import without_secrets

UV = "https://github.com/astral-sh/uv/releases/download/0.9.9/uv.tar.gz"
GITHUB = {"prefix": "https://github.com/", "to": "https://artifacts.example/artifactory/github/"}
ALL = {"prefix": "https://", "to": "https://mirror.example/files/"}
CLOSED = {"prefix": "https://", "upstream": False}


def urls(*rules, url=UV):
    return [place.url for place in read(rules).addresses(url)]


def test_rules_are_tried_in_their_order_and_the_publisher_last():
    own = "https://artifacts.example/artifactory/github/astral-sh/uv/releases/download/0.9.9/uv.tar.gz"
    whole = "https://mirror.example/files/github.com/astral-sh/uv/releases/download/0.9.9/uv.tar.gz"
    assert urls(GITHUB, ALL) == [own, whole, UV]
    assert urls(ALL, GITHUB) == [whole, own, UV]
    assert urls() == [UV]


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com.evil.example/a",
        "https://github.company/a",
        "http://github.com/a",
        "https://example.org/https://github.com/a",
        "https://github.com/../a",
        "https://github.com/a/%2e%2e/%2E./b",
        "https://github.com/a%2f..%2fb",
        "https://github.com/./a",
    ],
)
def test_only_what_lies_below_the_prefix_is_asked_of_a_mirror(url):
    assert urls(GITHUB, url=url) == [url]


def test_what_follows_the_prefix_stays_to_the_letter():
    assert urls(GITHUB, url="https://github.com/a%20b/c%2Bd?e=f%2F..#g")[0] == GITHUB["to"] + "a%20b/c%2Bd?e=f%2F..#g"


def test_an_address_is_asked_once():
    to_itself = {"prefix": "https://github.com/", "to": "https://github.com/"}
    assert urls(GITHUB, GITHUB, to_itself) == urls(GITHUB)


def test_a_rule_twice_is_one_attempt_with_the_first_ones_secrets():
    found = read([{**GITHUB, "username": "a", "password": "first-one"}, GITHUB]).addresses(UV)
    assert len(found) == 2
    assert "Authorization" in found[0].headers
    assert found[1].headers == {}


@pytest.mark.parametrize("rules", [[GITHUB, CLOSED], [CLOSED, GITHUB], [{**GITHUB, "upstream": False}]])
def test_where_upstream_is_false_the_publisher_is_not_asked(rules):
    assert UV not in urls(*rules)
    assert len(urls(*rules)) == 1


def test_where_nobody_may_be_asked_that_is_said():
    with pytest.raises(ReleaseError, match=r"no mirror is named for https://example\.org/a") as failure:
        urls(GITHUB, CLOSED, url="https://example.org/a?token=S3CRET")
    assert "S3CRET" not in str(failure.value)


def test_upstream_is_closed_only_for_what_the_rule_speaks_of():
    assert urls({**GITHUB, "upstream": False}, url="https://example.org/a") == ["https://example.org/a"]


def test_rules_of_which_none_is_for_any_address_are_told():
    misspelt = read([{**GITHUB, "prefix": "https://githb.com/"}, {"prefix": "https://x.example/", "upstream": False}])
    assert misspelt.unused([UV]) == (
        f"mirrors has no rule for any address in the lock file, such as {UV}: "
        "none begins with https://githb.com/ or https://x.example/. No mirror is asked."
    )
    assert read([{**GITHUB, "prefix": "https://githb.com/"}, GITHUB]).unused(["https://x.example/a", UV]) is None
    assert read([CLOSED]).unused([UV]) is None
    assert read([]).unused([UV]) is None
    assert read([GITHUB]).unused([]) is None


def test_a_password_becomes_a_header_of_its_mirror_and_is_shown_nowhere():
    rules = read([{**GITHUB, "username": "ci", "password": "hunter-2", "headers": {"X-Api-Key": "k3y-of-ours"}}, ALL])
    first, second, upstream = rules.addresses(UV)
    assert dict(first.headers) == {"X-Api-Key": "k3y-of-ours", "Authorization": "Basic Y2k6aHVudGVyLTI="}
    assert (second.headers, upstream.headers) == ({}, {})
    assert [one.covers(first.url) for one in credentials(rules)] == [True]
    assert [one.covers("https://artifacts.example/artifactory/other/a") for one in credentials(rules)] == [False]
    for secret in ("hunter-2", "k3y-of-ours", "Y2k6aHVudGVyLTI="):
        assert secret not in repr(rules) + repr(first)
        assert secret not in without_secrets(f"a server says {secret}")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_end_of_a_line_belongs_to_no_secret(end):
    """A file that is read whole, and many a secret store, adds one."""
    rule = {**ALL, "username": f"ci{end}", "password": f" S3CRET 2{end}", "headers": {"X-Api-Key": f"k3y-of-ours{end}"}}
    (mirror, _upstream) = read([rule]).addresses(UV)
    pair = base64.b64encode(b"ci: S3CRET 2").decode()
    assert dict(mirror.headers) == {"X-Api-Key": "k3y-of-ours", "Authorization": f"Basic {pair}"}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"prefix": "github.com", "to": ALL["to"]}, "prefix is not"),
        ({"prefix": "https://github.com", "to": ALL["to"]}, "prefix is not"),
        ({"prefix": "https:", "to": ALL["to"]}, "prefix is not"),
        ({"prefix": "", "to": ALL["to"]}, "prefix is not"),
        ({"prefix": "file:///", "to": ALL["to"]}, "prefix is not"),
        ({"prefix": "https://u:S3CRET@github.com/", "to": ALL["to"]}, "prefix is not"),
        ({"prefix": "https://github.com/?a=/", "to": ALL["to"]}, "prefix is not"),
        ({"prefix": "https://github.com/ /", "to": ALL["to"]}, "prefix is not"),
        ({"prefix": "https://"}, "to is not"),
        ({"prefix": "https://", "to": "https://mirror.example"}, "to is not"),
        ({"prefix": "https://", "to": "https:///"}, "to is not"),
        ({"prefix": "https://", "to": "ftp://mirror.example/"}, "to is not"),
        ({"prefix": "https://", "to": "s3://bucket/"}, "to is not"),
        ({"prefix": "https://", "to": "/srv/mirror/"}, "to is not"),
        ({"prefix": "https://", "to": "https://u:S3CRET@mirror.example/"}, "to is not"),
        ({"prefix": "https://", "to": "https://mirror.example/?key=S3CRET/"}, "to is not"),
        ({"prefix": "https://", "to": "https://mirror.example/a\n/"}, "to is not"),
        ({**ALL, "username": "u"}, "belong together"),
        ({**ALL, "password": "S3CRET"}, "belong together"),
        ({**ALL, "username": "u", "password": "S3CRET\nS3CRET"}, "password has a line break in it"),
        ({**ALL, "username": "u\0", "password": "S3CRET"}, "username has a control character in it"),
        ({**ALL, "headers": {"X-Key": "S3CRET\r\nX: y"}}, "header cannot be sent"),
        ({**ALL, "headers": {"X-Key\n": "S3CRET"}}, "header cannot be sent"),
        ({**ALL, "headers": {"Host": "S3CRET"}}, "header cannot be sent"),
        ({**ALL, "headers": {"range": "S3CRET"}}, "header cannot be sent"),
        ({**ALL, "headers": {"X-Key": ""}}, "header cannot be sent"),
        ({**ALL, "to": "http://mirror.example/", "username": "u", "password": "S3CRET"}, "readable on their way"),
        ({**ALL, "to": "file:///srv/", "headers": {"X-Key": "S3CRET"}}, "readable on their way"),
        ({**CLOSED, "username": "u", "password": "S3CRET"}, "readable on their way"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_without_its_secrets(rule, says):
    with pytest.raises(ReleaseError, match=f"rule 2 of mirrors: .*{says}") as refused:
        read([GITHUB, rule])
    assert "S3CRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("to", "fix"),
    [
        ("file:///srv/my mirror/", "write %20 in place of each space"),
        ("https://reader:secret@m/", "write a user and password as username and password"),
        ("https://m/files", None),
    ],
)
def test_what_is_wrong_with_the_address_of_a_mirror_is_told(to, fix):
    with pytest.raises(ReleaseError, match="to is not the address of a mirror") as refused:
        read([{"prefix": "https://", "to": to}])
    assert refused.value.fix == fix


@pytest.mark.parametrize(
    ("prefix", "fix"),
    [
        ("https://reader:secret@github.com/", "write a user and password as username and password"),
        ("https://github.com/my tool/", "write %20 in place of each space"),
    ],
)
def test_what_is_wrong_with_a_prefix_is_told_where_it_is_not_shown(prefix, fix):
    with pytest.raises(ReleaseError, match=f"^rule 1 of mirrors: prefix is not(?s:.*)to fix: {fix}") as refused:
        read([{**ALL, "prefix": prefix}])
    assert "secret" not in str(refused.value)


def test_more_rules_than_a_host_takes_addresses_are_refused():
    with pytest.raises(ReleaseError, match="too many"):
        read([GITHUB] * 20)
    assert read([GITHUB] * 19)


@pytest.fixture
def site(tmp_path, monkeypatch):
    path = tmp_path / "mirrors.yml"
    path.write_text("mirrors: []\n")
    path.chmod(0o644)
    monkeypatch.setattr(mirrors, "SITE_FILE", path)
    monkeypatch.delenv(SITE_VARIABLE, raising=False)
    return path


def test_the_sites_file_is_where_it_belongs_or_where_the_variable_says(site, tmp_path, monkeypatch):
    assert site_file() == site
    other = tmp_path / "other.yml"
    monkeypatch.setenv(SITE_VARIABLE, str(other))
    with pytest.raises(ReleaseError, match=r"could not be read from .*other\.yml") as failure:
        site_file()
    assert SITE_VARIABLE in failure.value.fix
    other.touch(0o600)
    assert site_file() == other


def test_a_site_needs_no_file(site, monkeypatch):
    site.unlink()
    assert site_file() is None
    monkeypatch.setattr(mirrors, "SITE_FILE", site / "below-no-folder.yml")
    assert site_file() is None


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_may_write_is_not_followed(site, mode):
    site.chmod(mode)
    with pytest.raises(ReleaseError, match="others can say"):
        site_file()


def test_a_folder_is_no_file_of_rules(site):
    site.unlink()
    site.mkdir()
    with pytest.raises(ReleaseError, match="others can say"):
        site_file()
