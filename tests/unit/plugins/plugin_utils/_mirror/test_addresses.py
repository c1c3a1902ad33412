# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An address becomes a path at which a static server serves it, and never one outside of the mirror."""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from ansible_collections.pinned.release.plugins.plugin_utils._mirror import addresses
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.addresses import place_of
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.static_servers import SERVERS, serving
from hypothesis import given, settings
from hypothesis import strategies as st

SHA256 = "0" * 64


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://github.com/o/r/releases/download/v1/a.tar.gz", "github.com/o/r/releases/download/v1/a.tar.gz"),
        ("http://h:8080/a", "h:8080/a"),
        ("https://h:443/a", "h:443/a"),
        ("https://[2001:db8::1]:8443/a", "[2001:db8::1]:8443/a"),
        ("https://h/a%20b/c%2Bd+e", "h/a b/c+d+e"),
        ("https://h/@scope%2Fname/-/name-1.tgz", "h/@scope/name/-/name-1.tgz"),
        ("https://h//a///b", "h/a/b"),
        ("https://h/a?file=b/c#d", "h/a"),
        ("https://h/v2/o/n/blobs/sha256:" + SHA256, "h/v2/o/n/blobs/sha256:" + SHA256),
        ("https://h/%E2%9C%93", "h/✓"),
    ],
)
def test_address_is_served_at_its_own_path(url: str, place: str) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "https://h",
        "https://h/",
        "https://h/folder/",
        "https://h?file=a",
        "https://h/..",
        "https://h/a/../b",
        "https://h/%2e%2e/b",
        "https://h/a/%2E/b",
        "https://h/a%2F..%2Fb",
        "https://h/a%5Cb",
        "https://h/a%00b",
        "https://h/a%0Ab",
        "https://h/%FF",
        "https://h/" + "a" * 256,
        "https://h/" + "ä" * 128,
        "https://h/" + "a/" * 600 + "b",
        "https://.pinned.release/record.json",
        "https://../a",
        "https://PULP_MANIFEST/a",
        "https://locks/releases.lock.json",
        "https://releases/uv/1.0/uv.tar.gz",
        "file:///etc/passwd",
        "file:releases/uv.tar.gz",
    ],
)
def test_address_that_no_static_server_serves_has_no_path(url: str) -> None:
    assert place_of(url) is None


@given(st.from_regex(forms.LOCKED_URL.pattern) | st.text().map("https://h/".__add__) | st.text())
def test_whatever_a_lock_file_says_a_path_stays_inside(url: str) -> None:
    try:
        place = place_of(url)
    except ValueError:
        # Such an address is none, and no lock file is read that has it.
        assert not forms.LOCKED_URL.pattern.match(url) or "[" in url
        return
    if place is not None:
        assert not place.startswith("/")
        assert ".." not in place.split("/")
        assert posixpath.normpath(place) == place
        assert all(0 < len(os.fsencode(step)) <= 255 for step in place.split("/"))
        assert not place.startswith((addresses.STATE, addresses.LOCKS + "/", addresses.RELEASES + "/"))


@pytest.fixture(scope="module", params=SERVERS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("mirror")
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(serving(folder, request.param))
        yield f"{url}/", folder


STEPS = st.text(st.sampled_from("abZ0._-~+@:,;=&!*' %äß✓"), min_size=1, max_size=12)


@settings(max_examples=40)
@given(st.lists(STEPS, min_size=1, max_size=4), st.booleans(), st.sampled_from(["", "?q=1", "?a=/b"]))
def test_one_rewrite_of_the_prefix_leads_to_the_file(
    served: tuple[str, Path], steps: list[str], is_escaped: bool, query: str
) -> None:
    """Whatever is escaped in an address, or is not, and whatever its query: a host that rewrites it gets the file."""
    escaped = quote if is_escaped else partial(quote, safe="+@:,;=&!$()*'~")
    prefix, folder = served
    url = f"https://example.org:8443/{'/'.join(map(escaped, steps))}{query}"
    place = place_of(url)
    if place is None:
        return
    folder = folder / str(len(list(folder.iterdir())))
    (folder / place).parent.mkdir(parents=True)
    (folder / place).write_text(url)
    rewritten = url.replace("https://", f"{prefix}{folder.name}/")
    assert requests.get(rewritten, timeout=20).content == url.encode()


@pytest.mark.parametrize(
    ("place", "is_of_release"),
    [
        ("github.com/o/r/releases/download/v1/a", True),
        ("github.com/o/r/releases/download/kustomize/v5.6.0/a", True),
        ("github.com/o/r/releases/download/a", False),
        ("codeberg.org/o/r/releases/download/v1/a", True),
        ("gitlab.com/g/s/p/-/releases/v1/downloads/a", True),
        ("gitlab.com/g/s/p/-/releases/v1/downloads/bin/a", False),
        ("files.example.org/uv/1.0/a", False),
        ("github.com/releases/download/v1/a", False),
    ],
)
def test_paths_that_consumers_of_a_forge_know_are_told_from_others(place: str, is_of_release: bool) -> None:
    assert addresses.is_of_release(place) is is_of_release
