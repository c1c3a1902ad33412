# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that people or publishers write is run or templated by lock: it arrives as text, or it is refused.

Templates, tags of YAML and commands are planted in every field of a manifest, a listing, an index, a sums file and an
archive. All of them would make a file, and an auditor of Python sees every process that would be started.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import proofs
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import KINDS, open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.fakes.web import Web, files
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import schemas
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import STATIC

#: Each makes the file in the folder that the test works in.
CANARY = "canary"
PLANTED = {
    "expression": "{{ lookup('pipe', 'touch canary') }}",
    "statement": "{% if lookup('pipe', 'touch canary') %}{% endif %}",
    "query": "{{ query('ansible.builtin.pipe', 'touch canary') | first }}",
    "substitution": "$(touch canary)",
    "backquotes": "`touch canary`",
    "command": "; touch canary #",
    "pipe": "| touch canary",
    "options": "--upload-pack=touch canary",
    "python": "__import__('os').system('touch canary')",
}
TAGS = {
    "apply": '!!python/object/apply:os.system ["touch canary"]',
    "new": '!!python/object/new:os.system ["touch canary"]',
    "name": "!!python/name:os.system",
    "module": "!!python/module:os",
    "tuple": "!!python/tuple [touch, canary]",
    "unsafe": "!unsafe \"{{ lookup('pipe', 'touch canary') }}\"",
    "vault": '!vault "$ANSIBLE_VAULT;1.1;AES256"',
    "own": '!include "/etc/passwd"',
}
#: A manifest with every key that there is, and sources of every kind.
WHOLE: dict[str, Any] = {
    "platforms": ["linux/x86_64"],
    "catalogue": ["site.yml"],
    "policy": {
        "minimum_age": "3d",
        "maximum_unpacked_size": "4GiB",
        "maximum_size": "1GiB",
        "require": ["digest"],
        "sources": ["index", "github:*"],
        "hosts": ["example.org"],
        "valid_for": "90d",
    },
    "tools": {
        "tool": {
            "source": {
                "index": "https://example.org/i.json",
                "releases": "[]",
                "base": "https://b/",
                "tag": "{version}",
            },
            "version": "1.0",
            "asset": "tool-*",
            "executables": {"tool": "*/tool"},
            "files": {"share/man/man1/tool.1": "*/tool.1"},
            "platforms": ["linux/x86_64"],
            "verify": {
                "minisign": "RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U",
                "gpg": {"fingerprint": "A" * 40, "key": "a.asc", "successors": [{"fingerprint": "B" * 40, "key": "b"}]},
                "sigstore": {"repository": "o/r", "workflow": "w.yml", "ref": "refs/tags/1", "issuer": "https://i"},
                "provenance": {"identity": "https://i/x", "issuer": "https://i"},
                "release": "o/r",
            },
            "require": ["minisign"],
            "aliases": [{"asset": "tool-{version}-linux-x86_64.tar.gz"}],
            "purpose": "unpacks reports",
            "owner": "platform team",
            "purl": ["pkg:bitnami/tool"],
            "accept": {
                "without_digest": ["x"],
                "downgrade": ["1.0"],
                "republished": ["1.0 x"],
                "signer": ["1.0 x"],
                "vanished_asset": ["1.0 x"],
                "weaker_evidence": ["1.0 x"],
            },
        },
        "listed": {"source": {"github": "o/r", "api_url": "https://g/"}, "executables": ["tool"]},
        "packed": {"source": {"npm": "tool", "registry": "https://r/", "packages": "tool-*"}},
        "built": {
            "source": {
                "http": "https://h/{version}/{os}-{arch}",
                "versions": {"github": "o/r"},
                "os": {"linux": "Linux"},
                "arch": {"x86_64": "amd64"},
            }
        },
        "short": "pypi:short@1.0",
        "kept": {"source": {"directory": "https://d/", "sums": "SHA256SUMS"}},
    },
}
#: What starts a process, by the names of https://docs.python.org/3/library/audit_events.html.
STARTS = {"subprocess.Popen", "pty.spawn"} | {
    f"os.{name}" for name in ("system", "exec", "fork", "forkpty", "posix_spawn", "spawn")
}
SEEN: list[str] = []
IS_WATCHED = [False]


def watch(event: str, _arguments: object) -> None:
    if IS_WATCHED[0] and event in STARTS:
        SEEN.append(event)


sys.addaudithook(watch)


@contextmanager
def nothing_starts() -> Iterator[None]:
    """Fail where a process is started, or the file is made."""
    SEEN.clear()
    IS_WATCHED[0] = True
    try:
        yield
    finally:
        IS_WATCHED[0] = False
    assert SEEN == []
    assert not Path(CANARY).exists()


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts(value: object) -> Iterator[str]:
    """Yield every text in a value, keys included."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (str, Path)):
        yield str(value)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from (*texts(key), *texts(part))
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from texts(part)


def leaves(value: Any) -> list[tuple[Any, ...]]:
    return [way for way in schemas.places(value) if not isinstance(place(value, way), (dict, list))]


def place(value: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        value = value[step]
    return value


def with_planted(value: Any, way: tuple[Any, ...], planted: Any, *, as_key: bool = False) -> Any:
    """Return a copy of *value* with what is *planted* at the place that *way* leads to, or as the key of that place."""
    changed = copy.deepcopy(value)
    *steps, last = way
    parent = place(changed, tuple(steps))
    if as_key:
        parent[planted] = parent.pop(last)
    else:
        parent[last] = planted
    return changed


def test_a_template_is_one_that_would_run() -> None:
    """What is planted must be able to bite, or the other tests show nothing."""
    subprocess.run(["sh", "-c", f"true {PLANTED['command']}"], check=True)
    assert Path(CANARY).exists()
    Path(CANARY).unlink()
    yaml.load("!!python/object/apply:os.system ['touch canary']", yaml.UnsafeLoader)
    assert Path(CANARY).exists()


def test_every_key_of_a_manifest_is_planted_in() -> None:
    found = schemas.schema("releases")
    keys = {str(step) for way in schemas.places(WHOLE) for step in way}
    fields = {
        name
        for one in (found, *found["$defs"].values(), *found["properties"].values())
        for name in one.get("properties", {})
    }
    nested = {name for one in found["$defs"]["tool"]["properties"].values() for name in one.get("properties", {})}
    assert (fields | nested) - keys - set(KINDS) - set(proofs.KINDS) == set()
    assert manifest.parse(yaml.safe_dump(WHOLE)).tools.keys() == WHOLE["tools"].keys()


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_manifest_holds_it_as_text_or_is_refused(planted: str) -> None:
    arrived = 0
    for way in schemas.places(WHOLE):
        for as_key in (False, True) if way and isinstance(way[-1], str) else (False,) if way else ():
            text = yaml.safe_dump(with_planted(WHOLE, way, planted, as_key=as_key))
            with nothing_starts():
                try:
                    found = manifest.parse(text)
                except ReleaseError:
                    continue
                # A version may be in any scheme, and so becomes a pattern on them.
                assert any(planted in one for one in texts(found)) or way[-1] == "version"
                arrived += 1
    assert arrived > 5


@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)
def test_a_manifest_with_a_tag_is_refused_wherever_that_stands(tag: str) -> None:
    for way in leaves(WHOLE):
        text = yaml.safe_dump(with_planted(WHOLE, way, "PLANTED")).replace("PLANTED", tag)
        assert tag in text
        with nothing_starts(), pytest.raises(ReleaseError, match="is not YAML"):
            manifest.parse(text)


# What publishers write.

NAME = "tool-1.0-linux-x86_64.tar.gz"


def packed(planted: str = "") -> bytes:
    """Return an archive in which it is the name of a file, its text, and a line of a script."""
    script = f"#!/bin/sh\ntouch canary\n{planted}\n".encode()
    return made_archives.archive(
        "tar.gz",
        made_archives.file("tool-1.0/tool", STATIC, 0o755),
        made_archives.file("tool-1.0/helper", script, 0o755),
        made_archives.file(f"tool-1.0/doc/{planted or 'README'}", planted.encode()),
    )


def listing(content: bytes) -> list[dict[str, Any]]:
    asset = {"name": NAME, "url": NAME, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return [{"version": "1.0", "date": "2026-01-01", "sums": "SHA256SUMS", "assets": [asset], "notes": "new"}]


def resolve(index: object, content: bytes, sums: str, tool: dict[str, Any] | None = None) -> LockFile:
    served = {"/index.json": json.dumps(index).encode(), "/SHA256SUMS": sums.encode(), f"/{NAME}": content}
    with Web(files(served)) as web:
        source = {"index": f"{web.url}/index.json", "releases": "@"}
        text = yaml.safe_dump({"platforms": ["linux/x86_64"], "tools": {"tool": {"source": source, **(tool or {})}}})
        cache = Cache(Path("cache").absolute())
        now = datetime(2026, 1, 31, tzinfo=timezone.utc)
        opened = partial(open_source, base=Path.cwd(), cache_root=cache.root)
        resolver = Resolver(lambda wanted: opened(wanted.source), cache, now, ProgressReport(lambda line: None))
        lock = resolver.resolve(manifest.parse(text), LockFile()).lock
    return lockfile.parse(lockfile.emit(lock))


def outcome(index: object, content: bytes, sums: str) -> str:
    """Return all that is locked, or the whole error."""
    with nothing_starts():
        try:
            return str(resolve(index, content, sums))
        except ReleaseError as error:
            return str(error)


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_an_index_holds_it_as_text_or_is_refused(planted: str) -> None:
    content = packed()
    index = listing(content)
    sums = f"{hashlib.sha256(content).hexdigest()}  {NAME}\n"
    assert NAME in outcome(index, content, sums)
    for way in leaves(index):
        outcome(with_planted(index, way, planted), content, sums)
        outcome(with_planted(index, way, f"1.0{planted}"), content, sums)
        outcome(with_planted(index, way, planted, as_key=True), content, sums)


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_sums_files_and_archives_hold_it_as_text_or_are_refused(planted: str) -> None:
    content = packed(planted)
    digest = hashlib.sha256(content).hexdigest()
    for sums in (f"{digest}  {planted}", f"{planted}  {NAME}", f"{planted}\n{digest}  {NAME}", f"{digest} *{NAME}"):
        assert outcome(listing(content), content, f"{sums}\n")


# The task as Ansible runs it, which templates much of what it is given.

PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - pinned.release.lock: {manifest: releases.yml}
      register: first
    - pinned.release.lock: {manifest: changed/releases.yml, lockfile: releases.lock.json, upgrade: [all]}
      register: second
      diff: true
    - pinned.release.lock: {manifest: refused.yml}
      register: third
      ignore_errors: true
    - ansible.builtin.debug: {msg: "{{ [first, second.notes, second.summary, second.diff, third] }}"}
    - ansible.builtin.copy: {content: "{{ [first, second, third] | to_json }}", dest: results.json, mode: "0600"}
"""


def playbook(folder: Path, *words: str) -> str:
    """Return what ansible-playbook prints. Fails where it fails."""
    collections = Path(manifest.__file__).absolute().as_posix().partition("/ansible_collections/")[0]
    environment = {
        **os.environ,
        "HOME": str(folder / "home"),
        "ANSIBLE_COLLECTIONS_PATH": collections,
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "PINNED_RELEASE_CACHE": str(folder / "cache"),
    }
    (folder / "ansible.cfg").touch()
    command = [sys.executable, "-m", "ansible.cli.playbook", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def written(folder: Path, url: str, planted: str) -> None:
    """Write three manifests, in which it stands wherever it may: two that are locked, and one that is refused."""
    tool = {
        "source": {"index": f"{url}/index.json", "releases": f"[?notes != '{planted.replace(chr(39), '')}']"},
        "accept": {"without_digest": [planted], "signer": [f"1.0 {planted}"]},
    }
    whole = {"platforms": ["linux/x86_64"], "policy": {"sources": ["index", f"github:{planted}"]}}
    accept = {**tool["accept"], "signer": [f"1.1 {planted}"]}
    (folder / "changed").mkdir()
    for path, changed in (("releases.yml", tool), ("changed/releases.yml", {**tool, "accept": accept})):
        (folder / path).write_text(yaml.safe_dump({**whole, "tools": {"tool": changed}}))
    (folder / "refused.yml").write_text(yaml.safe_dump({**whole, "tools": {planted: tool}}))


@pytest.mark.parametrize("kind", ["expression", "statement", "substitution"])
def test_a_playbook_that_locks_and_shows_all_of_it_runs_nothing(workplace: Path, kind: str) -> None:
    planted = PLANTED[kind]
    content = packed(planted)
    sums = f"{hashlib.sha256(content).hexdigest()}  {NAME}\n{planted}\n"
    index = [{**listing(content)[0], "notes": planted, planted: planted}]
    index[0]["notes"] = "not this"
    served = {"/index.json": json.dumps(index).encode(), "/SHA256SUMS": sums.encode(), f"/{NAME}": content}
    with Web(files(served)) as web:
        written(workplace, web.url, planted)
        (workplace / "play.yml").write_text(PLAYBOOK)
        told = playbook(workplace, "play.yml", "-vvv")
        told += playbook(workplace, "pinned.release.lock", "--diff", "-e", "manifest=releases.yml")
    assert not (workplace / CANARY).exists()
    first, second, third = json.loads((workplace / "results.json").read_text())
    assert first["tools"]["tool"]["action"] == "added"
    assert any(planted in note for note in second["notes"])
    assert planted in second["summary"]
    assert planted.replace('"', "") in third["diff"]["error"]["found"].replace('\\"', "")
    assert planted in (workplace / "releases.lock.json").read_text()
    assert "touch canary" in told
