# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a host keep about a tool that was installed there? The receipt: value type, reader and writer. Pure.

A receipt lies on a host, so it is hostile: what is no receipt is None, and never an exception.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource, read_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, MisfitError, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence, read_evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    read_executable,
    read_files,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import BinKind

RECEIPT_VERSION = 1
MAX_BYTES = 65536
MAX_TEXT_LENGTH = 4096


@dataclass(frozen=True)
class Receipt:
    """What was installed, from where, why this asset, verified how, and by which lock file; *installed* is when (UTC).

    *bin_dir* is where its programs are, *bin* whether they are links or copies there, *files* what is linked beside it,
    *capabilities* are those of programs, by name, *layouts* by what else they are found (layouts.py). Fields as in
    ``receipt.json``; *evidence* as in the lock file.
    """

    tool: str
    version: str
    target: str
    reason: str
    asset: str
    sha256: str
    tree_sha256: str
    source_url: str
    source: DeclaredSource
    evidence: Evidence
    executables: Mapping[str, Executable]
    lock_sha256: str
    bin_dir: str
    files: Mapping[str, str] = field(default_factory=dict)
    bin: BinKind = "link"
    installed: str | None = None
    capabilities: Mapping[str, str] = field(default_factory=dict)
    layouts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as the file on the host says it.

        Raises ReleaseError where it could not be read again: the tool would be repaired in every run.
        """
        document = {
            "receipt_version": RECEIPT_VERSION,
            **asdict(self),
            "evidence": self.evidence.as_dict(),
        }
        for name in ("installed", "files", "capabilities", "layouts"):
            if not document[name]:
                del document[name]
        if self.bin == "link":
            del document["bin"]
        content = json.dumps(document).encode("ascii")
        try:
            _read(content)
        except (MisfitError, ValueError) as error:
            raise ReleaseError(
                f"{self.tool}: its receipt could not be read again",
                found=f"{error.way}: {error.found}" if isinstance(error, MisfitError) else str(error),
                fix=self._fix(len(content)),
            ) from error
        return document

    def _fix(self, length_bytes: int) -> str | None:
        if length_bytes > MAX_BYTES:
            return "choose fewer programs of it in the manifest (executables: [...]), and lock again"
        return None if forms.LINE.pattern.match(self.bin_dir) else "choose a bin_dir whose path is text in UTF-8"


def read_receipt(content: bytes) -> Receipt | None:
    """Return the receipt that *content* is; None for anything else, however large, deep or odd."""
    try:
        return _read(content)
    except (MisfitError, ValueError):
        return None


def _read(content: bytes) -> Receipt:
    """Raises ValueError where *content* is no small JSON text, and MisfitError where that is no receipt."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"{len(content)} bytes, which are more than {MAX_BYTES}")
    document = read_json(content.decode("utf-8"))
    top = Place(document, Document("receipt.json"))
    fields = top.fields(
        "receipt_version tool version target reason asset sha256 tree_sha256 source_url source evidence executables "
        "lock_sha256 bin_dir",
        "installed files bin capabilities layouts",
    )
    if fields["receipt_version"].number() != RECEIPT_VERSION:
        raise fields["receipt_version"].misfit(str(RECEIPT_VERSION))
    receipt = Receipt(
        tool=fields["tool"].text(forms.NAME),
        version=fields["version"].text(forms.VERSION),
        target=fields["target"].text(forms.TARGET),
        reason=fields["reason"].text(),
        asset=fields["asset"].text(forms.FILE_NAME),
        sha256=fields["sha256"].text(forms.SHA256),
        tree_sha256=fields["tree_sha256"].text(forms.SHA256),
        source_url=fields["source_url"].url(forms.LOCKED_URL),
        source=read_source(fields["source"], least=0),
        evidence=read_evidence(fields["evidence"]),
        executables=fields["executables"].mapping(read_executable, least=1),
        lock_sha256=fields["lock_sha256"].text(forms.SHA256),
        bin_dir=fields["bin_dir"].text(forms.FOLDER),
        files=read_files(fields["files"], lambda path: path.text(forms.PATH)) if "files" in fields else {},
        bin="copy" if "bin" in fields and fields["bin"].one_of(get_args(BinKind)) == "copy" else "link",
        installed=fields["installed"].text(forms.MOMENT) if "installed" in fields else None,
        capabilities=fields["capabilities"].mapping(Place.text) if "capabilities" in fields else {},
        layouts=tuple(fields["layouts"].items(lambda one: one.text(forms.LAYOUT))) if "layouts" in fields else (),
    )
    # The key of a publisher may have several lines.
    keys = {value for proof in receipt.evidence.proofs for _name, value in proof.identity.parts}
    lines = [text for text in _texts(document) if text not in keys]
    if any(len(text) > MAX_TEXT_LENGTH for text in _texts(document)):
        raise ValueError(f"a text of more than {MAX_TEXT_LENGTH} characters")
    for text in lines:
        if not forms.LINE.pattern.match(text):
            raise ValueError(f"a text with what is no letter of UTF-8, or a control character: {ascii(text)[1:-1]}")
    return receipt


def _texts(value: object) -> Iterator[str]:
    """Yield each text in *value*, keys too. It was read strictly before, so it is not deep."""
    if isinstance(value, str):
        yield value
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for part in value:
            yield from _texts(part)
