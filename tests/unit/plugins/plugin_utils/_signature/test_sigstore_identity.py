# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signed, by what a certificate says, and whether that is whom a manifest pins."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore import (
    TrustRoots,
    UnprovenError,
    require,
    verify,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import (
    ACTIONS,
    DIGESTS,
    GITHUB,
    WORKFLOW,
    LittleSigstore,
    statement,
)

OURS = LittleSigstore()
GOOGLE = "https://accounts.google.com"
RELEASES = "https://dotcom.releases.github.com"
RELEASE = "https://in-toto.io/attestation/release/v0.2"


def certified(san=WORKFLOW, said=GITHUB, services=OURS, document=None):
    signed = (
        services.signed_statement(document, san=san, said=said)
        if document
        else services.signed_file(san=san, said=said)
    )
    return verify(json.dumps(signed).encode(), TrustRoots.of(services.trusted_root()), DIGESTS)


def refusal(of, identity, **named):
    with pytest.raises(ReleaseError) as caught:
        require(of, identity, **named)
    assert not isinstance(caught.value, UnprovenError)
    return caught.value


def on_gitlab(repository, file):
    san = f"https://gitlab.com/{repository}//{file}@refs/heads/main"
    said = {8: "https://gitlab.com", 12: f"https://gitlab.com/{repository}", 13: "ab" * 20, 14: "refs/heads/main"}
    return san, said


# What a certificate says.


@pytest.mark.parametrize(
    ("san", "said", "repository", "workflow"),
    [
        (WORKFLOW, GITHUB, "owner/tool", ".github/workflows/release.yml"),
        # A workflow of another repository, and one of a repository whose name is .github.
        (
            "https://github.com/builders/go/.github/workflows/build.yml@refs/tags/v2@1",
            GITHUB,
            "owner/tool",
            "builders/go/.github/workflows/build.yml",
        ),
        (
            "https://github.com/owner/.github/.github/workflows/build.yml@refs/heads/main",
            GITHUB,
            "owner/tool",
            "owner/.github/.github/workflows/build.yml",
        ),
        # Extensions of before 2023.
        (WORKFLOW, {1: ACTIONS, 5: "owner/tool", 3: "c0" * 20, 6: "refs/tags/v1.0"}, "owner/tool", None),
        (*on_gitlab("group/part/tool", ".gitlab-ci.yml"), "https://gitlab.com/group/part/tool", ".gitlab-ci.yml"),
        (*on_gitlab("group/tool", "ci/build.yml"), "https://gitlab.com/group/tool", "ci/build.yml"),
        ("someone@example.com", {8: GOOGLE}, "", ""),
        # CircleCI: neither a workflow, nor an address with https.
        (
            "https://circleci.com/api/v2/projects/1",
            {8: "https://oidc.circleci.com", 12: "github.com/o/t"},
            "//github.com/o/t",
            "",
        ),
        ("https://ci.example/job", {8: "https://ci.example", 12: "owner/tool"}, "//owner/tool", ""),
    ],
)
def test_a_certificate_says_which_workflow_of_which_repository_signed(san, said, repository, workflow):
    found = certified(san, said)
    assert found.san == san
    assert found.issuer == (said.get(8) or said[1])
    assert found.repository == repository
    assert found.workflow == (".github/workflows/release.yml" if workflow is None else workflow)


def test_newer_extensions_count_more_than_older_ones():
    found = certified(said={**GITHUB, 1: GOOGLE, 5: "somebody/else", 6: "refs/heads/old"})
    assert (found.issuer, found.repository, found.ref) == (ACTIONS, "owner/tool", "refs/tags/v1.0")


@pytest.mark.parametrize("said", [{**GITHUB, 14: "refs/tags/\x1b[31m"}, {**GITHUB, 12: "https://github.com/o/\u202e"}])
def test_a_certificate_that_would_steer_a_terminal_is_refused(said):
    with pytest.raises(ReleaseError, match="cannot be printed"):
        certified(said=said)


@pytest.mark.parametrize("predicate_type", ["https://example.org/\x1b[31m", ""])
def test_a_statement_that_would_steer_a_terminal_or_says_nothing_is_refused(predicate_type):
    with pytest.raises(ReleaseError, match="predicateType") as caught:
        certified(document=statement(predicate_type))
    assert str(caught.value).replace("\n", "").isprintable()


# What a manifest pins.


@pytest.mark.parametrize(
    "identity",
    [
        {"repository": "owner/tool"},
        {"repository": "https://github.com/owner/tool"},
        {"repository": "owner/tool", "workflow": ".github/workflows/release.yml", "ref": "refs/tags/v{version}"},
        {"repository": "owner/tool", "workflow": ".github/workflows/release.yml@refs/tags/v{version}"},
        {"repository": "owner/tool", "issuer": ACTIONS},
        {"identity": WORKFLOW},
        {"identity": WORKFLOW, "issuer": ACTIONS, "repository": "owner/tool"},
    ],
)
def test_an_identity_is_met_when_all_that_it_pins_is_certified(identity):
    require(certified(), identity, version="1.0")


@pytest.mark.parametrize(
    ("identity", "differing"),
    [
        ({"repository": "owner/other"}, "repository"),
        ({"repository": "owner/tool2"}, "repository"),
        ({"repository": "owner/too"}, "repository"),
        ({"repository": "Owner/tool"}, "repository"),
        ({"repository": "https://gitlab.com/owner/tool"}, "repository"),
        ({"repository": "owner/tool", "workflow": ".github/workflows/other.yml"}, "workflow"),
        ({"repository": "owner/tool", "workflow": "owner/tool/.github/workflows/release.yml"}, "workflow"),
        ({"repository": "owner/tool", "workflow": ".github/workflows/release.yml@refs/heads/main"}, "workflow"),
        ({"repository": "owner/tool", "ref": "refs/tags/v{version}"}, "ref"),
        ({"repository": "owner/tool", "issuer": "https://gitlab.com"}, "issuer"),
        ({"repository": "owner/tool", "issuer": f"{ACTIONS}/enterprise"}, "issuer"),
        ({"identity": WORKFLOW[:-1], "issuer": ACTIONS}, "identity"),
        ({"identity": f"{WORKFLOW}x"}, "identity"),
    ],
)
def test_a_valid_signature_by_someone_else_is_refused_with_both(identity, differing):
    error = refusal(certified(), identity, version="1.1")
    assert re.match(f"it was signed by someone else: the {differing} (differs|and the issuer differ)", error.what)
    assert identity[differing].replace("{version}", "1.1").removeprefix("https://github.com/") in error.expected
    assert getattr(certified(), "san" if differing == "identity" else differing) in error.found
    assert "whether its signer has changed" in error.fix


def test_the_same_repository_vouched_for_by_somebody_else_is_refused():
    """Other services build from GitHub, too, and say so in the same extension."""
    elsewhere = certified("https://ci.example/job", {8: "https://ci.example", 12: "https://github.com/owner/tool"})
    assert elsewhere.repository == "owner/tool"
    error = refusal(elsewhere, {"repository": "owner/tool"})
    assert "the issuer differs" in error.what
    assert (ACTIONS in error.expected, "https://ci.example" in error.found) == (True, True)
    require(elsewhere, {"repository": "owner/tool", "issuer": "https://ci.example"})


def test_an_address_on_another_host_is_vouched_for_by_that_host():
    found = certified(*on_gitlab("group/tool", ".gitlab-ci.yml"))
    require(found, {"repository": "https://gitlab.com/group/tool", "workflow": ".gitlab-ci.yml"})
    other = certified(found.san, {8: GOOGLE, 12: found.repository})
    assert "the issuer differs" in refusal(other, {"repository": "https://gitlab.com/group/tool"}).what


def test_an_address_of_a_person_needs_an_issuer():
    found = certified("someone@example.com", {8: GOOGLE})
    require(found, {"identity": "someone@example.com", "issuer": GOOGLE})
    assert "needs an issuer" in refusal(found, {"identity": "someone@example.com"}).what


@pytest.mark.parametrize("identity", [{}, {"workflow": ".github/workflows/release.yml"}, {"issuer": ACTIONS}])
def test_an_identity_that_anybody_could_have_is_refused(identity):
    assert "must name a repository" in refusal(certified(), identity).what


def test_an_identity_with_an_unknown_key_is_refused():
    assert '"branch"' in refusal(certified(), {"repository": "owner/tool", "branch": "main"}).found


# What GitHub states of a release.


def release(**changed):
    predicate = {"repository": "owner/tool", "tag": "v1.0", "purl": "pkg:github/owner/tool@v1.0", **changed}
    document = statement(RELEASE, predicate)
    document["subject"].insert(0, {"uri": "pkg:github/owner/tool@v1.0", "digest": {"sha1": "ab" * 20}})
    return document


GITHUBS = LittleSigstore("github", ("Internal Services Root", "GitHub, Inc."))


def test_a_release_is_of_the_repository_that_github_states():
    found = certified(RELEASES, {}, GITHUBS, release())
    assert (found.repository, found.ref, found.commit) == ("owner/tool", "refs/tags/v1.0", "ab" * 20)
    require(found, {"repository": "owner/tool", "ref": "refs/tags/v{version}"}, version="1.0")
    assert "the repository differs" in refusal(found, {"repository": "owner/other"}).what


@pytest.mark.parametrize(
    ("san", "said", "services"),
    [(RELEASES, {}, OURS), (WORKFLOW, GITHUB, GITHUBS), (WORKFLOW, GITHUB, OURS), (f"{RELEASES}/", {}, GITHUBS)],
    ids=["its name, another authority", "a workflow, its authority", "a workflow", "nearly its name"],
)
def test_whoever_else_states_something_of_a_release_is_refused(san, said, services):
    with pytest.raises(ReleaseError, match="is not by GitHub") as caught:
        certified(san, said, services, release())
    assert RELEASES in caught.value.expected


def test_another_version_of_that_statement_is_refused():
    with pytest.raises(ReleaseError, match="of a version not known"):
        certified(RELEASES, {}, GITHUBS, {**release(), "predicateType": RELEASE.replace("0.2", "0.3")})


@pytest.mark.parametrize("key", ["repository", "tag", "purl"])
def test_a_release_that_lacks_its_name_is_refused(key):
    with pytest.raises(ReleaseError, match=f"predicate|{key}"):
        certified(RELEASES, {}, GITHUBS, release(**{key: None}))


@pytest.mark.parametrize(
    "purl",
    [
        "pkg:github/owner/other@v1.0",
        "pkg:github/owner/tool@v1.1",
        "pkg:github/owner/tool",
        "pkg:npm/owner/tool@v1.0",
        "pkg:github/owner/tool@v1.0?x=y",
        "pkg:github/owner/tool@v1.0#sub",
        "github/owner/tool@v1.0",
        "pkg:github",
    ],
)
def test_a_release_whose_package_url_is_that_of_another_is_refused(purl):
    with pytest.raises(ReleaseError, match="package URL"):
        certified(RELEASES, {}, GITHUBS, release(purl=purl))


def test_a_package_url_does_not_tell_capital_letters_apart():
    assert certified(RELEASES, {}, GITHUBS, release(purl="pkg:GitHub/Owner/Tool@v1.0")).ref == "refs/tags/v1.0"


def test_who_signs_releases_can_say_nothing_else_of_a_repository():
    found = certified(RELEASES, {}, GITHUBS, statement())
    assert "the repository differs" in refusal(found, {"repository": "owner/tool"}).what
