# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is "A walk for a newcomer" in CONTRIBUTING.md right? Adds a toy of each kind in the way that it says, and uses it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import target
from ansible_collections.pinned.release.plugins.plugin_utils._lock import importers, manifest, verification
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignTool,
    Imported,
    file_at,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._lock.takeover import take_over
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import sources
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import (
    Fetch,
    Held,
    Kind,
    Proven,
    Stated,
    claims,
    proofs,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    require_name,
)
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, Signer
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    NOW,
    STATIC,
    Controller,
    Publisher,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    (tmp_path / "published").mkdir()
    publisher = Publisher(tmp_path / "published")
    publisher.publish("1.0", linux__x86_64=STATIC)
    return publisher


@pytest.fixture
def controller(publisher: Publisher, tmp_path: Path) -> Controller:
    return Controller(publisher, tmp_path / "cache")


class ToySource:
    """The releases of a publisher whom this test plays."""

    OPTIONS: ClassVar[frozenset[str]] = frozenset({"channel"})
    PUBLISHER: ClassVar[Publisher]

    def __init__(self, declaration: Declaration) -> None:
        self._name = require_name(declaration, re.compile(r"[a-z]+"), "tool")
        self.session = requests.Session()

    def describe(self) -> str:
        return f"toy {self._name}"

    def releases(self) -> list[Release]:
        return list(self.PUBLISHER.releases())


def test_a_source_is_one_class_and_one_line_in_its_table(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToySource, "PUBLISHER", publisher, raising=False)
    monkeypatch.setitem(sources.KINDS, "toy", ToySource)
    text = """
        platforms: [linux/x86_64]
        policy: {minimum_age: 0d}
        tools: {tool: {source: {toy: tool, channel: stable}}}
    """
    resolver = Resolver(
        lambda wanted: sources.open_source(wanted.source), Cache(tmp_path / "cache"), NOW, ProgressReport(print)
    )
    locked = resolver.resolve(manifest.parse(text), LockFile(), ()).lock.tools["tool"]
    assert (locked.version, locked.source) == ("1.0", {"toy": "tool", "channel": "stable"})
    assert [asset.name for asset in locked.assets] == ["tool-1.0-linux-x86_64"]
    with pytest.raises(ReleaseError, match="toy: 'No Tool' is not valid"):
        sources.open_source({"toy": "No Tool"})


def toy_claim(asset: Asset, release: Release, fetch: Fetch) -> Stated:
    """State the digest that a friend read to us over the telephone."""
    return Stated((Claim("sha256", asset.digests["sha256"], "telephone"),))


def test_a_kind_of_claim_is_one_function_and_one_line_in_its_table(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(claims.KINDS, "toy", toy_claim)
    (asset,) = controller.resolve().lock.tools["tool"].assets
    assert [claim.origin for claim in asset.evidence.claims] == ["listing", "telephone"]
    wrong = Stated((Claim("sha256", "0" * 64, "telephone"),))
    monkeypatch.setitem(claims.KINDS, "toy", lambda asset, release, fetch: wrong)
    with pytest.raises(ReleaseError, match="the publisher contradicts itself"):
        controller.resolve("1.*")


def check_friend(identity: Identity) -> None:
    """Raise ReleaseError unless *identity* is a friend."""
    if identity["name"] != "Ada":
        raise ReleaseError("nobody knows that friend", expected="Ada", found=identity["name"])


def verified_by_friend(signed: Signed, identity: Identity, parts: Mapping[str, bytes]) -> Signer:
    """Believe what a friend says."""
    return Signer(parts["signature"].decode())


def toy_proof(held: Held, identity: Identity, fetch: Fetch) -> tuple[Proven, ...]:
    """Let a friend look at the bytes."""
    assert held.path.read_bytes() == STATIC
    kept = (("signature", hashlib.sha256(b"Ada").hexdigest()),)
    proof = Proof("toy", identity, "Ada", held.asset.name, held.digests["sha256"], "telephone", kept)
    return (Proven(proof, {"signature": b"Ada"}),)


def test_a_kind_of_proof_is_three_functions_and_one_line_in_its_table(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(proofs.KINDS, "toy", Kind(("name",), check_friend, toy_proof, verified_by_friend))
    resolution = controller.resolve(more=", verify: {toy: Ada}")
    (asset,) = resolution.lock.tools["tool"].assets
    assert asset.evidence.proves({"toy": (Identity.of(name="Ada"),)})
    (again,) = verification.verify(resolution.lock, resolution.kept.__getitem__, lambda sha256: None)
    assert (again.verdict, again.signer) == ("verified", "Ada")
    with pytest.raises(ReleaseError) as raised:
        controller.resolve(more=", verify: {toy: Eve}")
    assert raised.value.expected == "Ada"


def is_toy(document: Mapping[str, Any]) -> bool:
    """Tell whether *document* is a list of toys."""
    return "toys" in document


def read_toys(place: Place) -> Imported:
    """Return the toys that *place* pins."""
    url = place.required("toys")
    return Imported(place.document.name, (ForeignTool("toy", None, (file_at(url, {"sha256": "0" * 64}),)),))


def test_a_format_of_other_tools_lock_files_is_two_functions_and_one_line_in_its_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    toys = importers.Format({"toys.lock.json": is_toy}, read_toys)
    monkeypatch.setattr(importers, "FORMATS", (*importers.FORMATS, toys))
    text = '{"toys": "https://github.com/acme/toy/releases/download/v1.0/toy-linux-amd64"}'
    taken = take_over(importers.read({"toys.lock.json": text}))
    assert manifest.parse(taken.text).tools["toy"].source == {"github": "acme/toy"}
    assert [statement.digests for statement in taken.digests.statements] == [(("sha256", "0" * 64),)]


def test_a_reason_for_refusing_a_host_is_one_function_and_one_line_in_its_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def check_colour(requirement: Requirement, host: Host) -> str | None:
        if host.distribution is None:
            return "needs a blue host, the host's colour is unknown"
        return None if "blue" in host.distribution else "needs a blue host"

    program, host = Requirement("linux", "x86_64", libc="static"), Host("linux", "x86_64", distribution="blue")
    monkeypatch.setattr(target, "CHECKS", (*target.CHECKS, check_colour))
    assert target.admissible(program, host).is_admissible
    refused = target.admissible(program, replace(host, distribution=None))
    assert (refused.is_admissible, refused.reason) == (False, "needs a blue host, the host's colour is unknown")


def test_every_file_that_the_walk_names_is_there() -> None:
    walk = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## A walk for a newcomer")[2]
    named = set(re.findall(r"`((?:plugins|tests|docs)/[\w/.]+)`", walk.partition("\n## ")[0]))
    assert len(named) > 12
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
