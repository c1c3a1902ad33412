# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the GitHub of our tests answer as the real one? Compares it with GitHub's schema and with recorded answers.

``python tests/fakes/check_github.py`` needs npm and about 30 MB: it fetches ``@octokit/openapi`` (the schema) and
``@octokit/fixtures`` (recorded traffic) into a temporary folder. It prints what it compared, and fails on a difference.
Differences that are GitHub's own, newer than the recordings, are in the schema.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from ansible_collections.pinned.release.tests.fakes.github import FakeAsset, FakeGithub, FakeRelease

REPOSITORY = "owner/tool"
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "number": (int, float),
}


def main() -> int:
    """Fetch what is real, ask the fake, compare; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        schema = json.loads(packed("@octokit/openapi", "package/generated/api.github.com.json", folder))
        recorded = {
            scenario: json.loads(
                packed("@octokit/fixtures", f"package/scenarios/api.github.com/{scenario}/raw-fixture.json", folder)
            )
            for scenario in ("release-assets", "paginate-issues", "errors", "get-archive")
        }
    differences = [*against_schema(schema), *against_recordings(recorded)]
    for difference in differences:
        print(f"DIFFERENT: {difference}")
    print(f"{len(differences)} differences")
    return 1 if differences else 0


def packed(package: str, path: str, folder: str) -> str:
    """Return one file of an npm package, which is fetched once per *folder*."""
    into = Path(folder) / package.replace("/", "-")
    if not into.exists():
        into.mkdir()
        subprocess.run(["npm", "pack", "--silent", package], cwd=into, check=True, stdout=subprocess.DEVNULL)
    [archive] = into.glob("*.tgz")
    with tarfile.open(archive) as files:
        member = files.extractfile(path)
        if member is None:
            raise FileNotFoundError(path)
        return member.read().decode()


def fake(**settings: Any) -> FakeGithub:
    """Return the fake with one repository of several releases."""
    asset = FakeAsset("tool.tar.gz", b"bytes")
    releases = [FakeRelease(f"v1.{number}", [asset], is_draft=number == 1) for number in range(5)]
    subject = f"sha256:{hashlib.sha256(asset.content).hexdigest()}"
    bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {}}
    attestations = {subject: [{**bundle, "dsseEnvelope": {}}]}
    # The schema describes whole bundles; that they are null, with an address, real answers of 2026 show.
    return FakeGithub(
        {REPOSITORY: releases}, tokens=frozenset({"good"}), attestations=attestations, is_inline=True, **settings
    )


def against_schema(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield where the fake's answers break the schema of the operation they answer."""
    with fake() as github:
        base = f"{github.api_url}/repos/{REPOSITORY}/releases"
        releases = requests.get(f"{base}?per_page=2", timeout=10)
        asset = releases.json()[0]["assets"][0]
        owner, _slash, _name = REPOSITORY.partition("/")
        attestations = f"{github.api_url}/repos/{REPOSITORY}/attestations/{asset['digest']}"
        bulk = f"{github.api_url}/users/{owner}/attestations/bulk-list"
        answers = [
            ("/repos/{owner}/{repo}/releases", releases),
            ("/repos/{owner}/{repo}/releases/assets/{asset_id}", requests.get(asset["url"], timeout=10)),
            ("/repos/{owner}/{repo}/releases/assets/{asset_id}", download(asset["url"])),
            ("/repos/{owner}/{repo}/releases", requests.get(f"{github.api_url}/repos/no/no/releases", timeout=10)),
            ("/repos/{owner}/{repo}/attestations/{subject_digest}", requests.get(attestations, timeout=10)),
            (
                "/users/{username}/attestations/bulk-list",
                requests.post(bulk, json={"subject_digests": [asset["digest"]]}, timeout=10),
            ),
        ]
    for operation, answer in answers:
        method = str(answer.request.method)
        described = schema["paths"][operation][method.lower()]["responses"].get(str(answer.status_code))
        place = f"{method} {operation} → {answer.status_code}"
        if described is None:
            yield f"{place}: the schema knows no such status"
            continue
        described = resolved(schema, described)
        print(f"schema: {place}, headers {sorted(described.get('headers', {}))}")
        yield from (f"{place}: no header {name}" for name in described.get("headers", {}) if name not in answer.headers)
        if "content" in described:
            yield from misfits(schema, described["content"]["application/json"]["schema"], answer.json(), place)


def download(url: str) -> requests.Response:
    """Ask for an asset's bytes, and do not follow where that leads."""
    return requests.get(url, headers={"Accept": "application/octet-stream"}, allow_redirects=False, timeout=10)


def resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference inside the schema."""
    while "$ref" in part:
        found: Any = schema
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def misfits(schema: Mapping[str, Any], part: Mapping[str, Any], value: object, place: str) -> Iterator[str]:
    """Yield where *value* is not what *part* of the OpenAPI 3.0 schema describes, unknown keys included."""
    part = resolved(schema, part)
    for choice in ("anyOf", "oneOf"):
        if choice in part and all(list(misfits(schema, one, value, place)) for one in part[choice]):
            yield f"{place}: fits none of the schema's choices"
    for one in part.get("allOf", []):
        yield from misfits(schema, one, value, place)
    if value is None:
        if not part.get("nullable"):
            yield f"{place}: null"
        return
    kind = part.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{place}: {type(value).__name__} instead of {kind}"
        return
    if part.get("enum") and value not in part["enum"]:
        yield f"{place}: {value!r} is none of {part['enum']}"
    if part.get("format") == "date-time" and isinstance(value, str):
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from misfits(schema, part.get("items", {}), item, f"{place}[{number}]")
    if isinstance(value, dict) and "properties" in part:
        yield from (f"{place}: no {name}" for name in part.get("required", []) if name not in value)
        yield from (f"{place}: the schema knows no {name}" for name in value if name not in part["properties"])
        for name in value.keys() & part["properties"].keys():
            yield from misfits(schema, part["properties"][name], value[name], f"{place}.{name}")


def against_recordings(recorded: Mapping[str, list[Mapping[str, Any]]]) -> Iterator[str]:
    """Yield where the fake lacks, or has in another shape, what real answers had."""
    with fake() as github:
        base = f"{github.api_url}/repos/{REPOSITORY}/releases"
        page = requests.get(f"{base}?per_page=2", timeout=10)
        middle = requests.get(f"{base}?per_page=2&page=2", timeout=10)
        last = requests.get(f"{base}?per_page=2&page=3", timeout=10)
        unchanged = requests.get(
            base, headers={"If-None-Match": requests.get(base, timeout=10).headers["ETag"]}, timeout=10
        )
        asset = page.json()[0]["assets"][0]
        bad_token = requests.get(base, headers={"Authorization": "Bearer bad"}, timeout=10)
        bytes_way = download(asset["url"])
        web_way = requests.get(asset["browser_download_url"], allow_redirects=False, timeout=10)
    with fake(remaining=0) as github:
        limited = requests.get(f"{github.api_url}/repos/{REPOSITORY}/releases", timeout=10)

    real = first(one for one in recorded["release-assets"] if one["path"].endswith("/releases/tags/v1.0.0"))
    yield from lacking("a release", real["response"], page.json()[0])
    real_asset = first(
        one for one in recorded["release-assets"] if one["method"] == "get" and "/assets/" in one["path"]
    )
    yield from lacking("an asset", real_asset["response"], asset)
    yield from header_differences("a release", headers_of(real), page)

    issues = [one for one in recorded["paginate-issues"] if "/issues?per_page" in one["path"] and one["status"] == 200]
    for name, one, answer in [("first", issues[0], page), ("middle", issues[2], middle), ("last", issues[-1], last)]:
        yield from unequal(
            f"Link of the {name} page", link_shape(headers_of(one)["Link"]), link_shape(answer.headers["Link"])
        )

    error = first(one for one in recorded["errors"] if one["status"] == 422)["response"]
    for name, answer in [("bad token", bad_token), ("rate limit", limited)]:
        yield from lacking(
            f"the refusal of a {name}", {key: error[key] for key in error if key != "errors"}, answer.json()
        )
    redirect = first(one for one in recorded["get-archive"] if one["status"] == 302)
    for name, answer in [("by API", bytes_way), ("by web", web_way)]:
        yield from unequal(f"status of a download {name}", redirect["status"], answer.status_code)
        yield from unequal(f"Location of a download {name}", True, "Location" in answer.headers)
    yield from unequal("status and body of what is unchanged", (304, b""), (unchanged.status_code, unchanged.content))
    yield from unequal("status of a bad token", 401, bad_token.status_code)
    yield from unequal(
        "status and rest of the limit", (403, "0"), (limited.status_code, limited.headers["X-RateLimit-Remaining"])
    )


def first(found: Iterator[Any]) -> Any:
    """Return the first of what was *found* in the recordings, which always hold one."""
    return next(found)


def headers_of(recording: Mapping[str, Any]) -> dict[str, str]:
    """Return the recorded headers, which are a flat list of names and values."""
    flat = recording["rawHeaders"] if "rawHeaders" in recording else recording["responseHeaders"]
    return dict(zip(flat[::2], flat[1::2], strict=True)) if isinstance(flat, list) else dict(flat)


def lacking(what: str, real: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of a *real* object that *ours* lacks, or has with a value of another type."""
    print(f"recorded: {what}, keys {sorted(real)}")
    for name, value in real.items():
        if name not in ours:
            yield f"{what}: no {name}"
        elif value is not None and ours[name] is not None and type(value) is not type(ours[name]):
            yield f"{what}: {name} is a {type(ours[name]).__name__}, really a {type(value).__name__}"


def header_differences(what: str, real: Mapping[str, str], ours: requests.Response) -> Iterator[str]:
    """Yield the headers that ours sends and the *real* answer did not, and those that matter the other way round."""
    known = {name.lower() for name in real}
    sent = {name.lower() for name in ours.headers}
    print(f"recorded: headers of {what}, {len(known)} real, {len(sent)} ours")
    yield from (f"{what}: header {name} is not GitHub's" for name in sent - known - {"link"})
    matter = {name for name in known if name.startswith("x-ratelimit") or name in ("etag", "vary", "cache-control")}
    yield from (f"{what}: no header {name}" for name in matter - sent)
    yield from unequal(f"{what}: Content-Type", real["Content-Type"], ours.headers["Content-Type"])


def link_shape(header: str) -> list[tuple[str, str]]:
    """Return the relations of a Link header, each with its target, whose host and numbers do not count."""
    links = re.findall(r'<([^>]*)>; rel="(\w+)"', header)
    return [
        (relation, re.sub(r".*(/repositories/)\d+/\w+(\?.*?)=\d+(&page)=\d+$", r"\1…\2\3", url))
        for url, relation in links
    ]


def unequal(what: str, real: object, ours: object) -> Iterator[str]:
    """Yield one difference unless the two are equal."""
    print(f"recorded: {what}: {real}")
    if real != ours:
        yield f"{what}: {ours!r}, really {real!r}"


if __name__ == "__main__":
    sys.exit(main())
