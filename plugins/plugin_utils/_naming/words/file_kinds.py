# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of file is it, by its ending and the words in its name: a program, or what else? Pure; controller.

A file with an unknown ending is ``other``, which is not a program. The tables have the endings that messages should
call by their right name, and those that would otherwise count as a part of a program's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Endings of archives and compressed files that hosts can open, best first: what most hosts can open, then smallest.
FORMATS: dict[str, tuple[str, ...]] = {
    "tar.gz": (".tar.gz", ".tgz"),
    "zip": (".zip",),
    "tar.xz": (".tar.xz", ".txz"),
    "tar.bz2": (".tar.bz2", ".tbz2", ".tbz"),
    "whl": (".whl",),
    "bare": ("", ".exe", ".bin"),
    "gz": (".gz",),
    "xz": (".xz",),
    "bz2": (".bz2",),
    "tar": (".tar",),
    "tar.zst": (".tar.zst", ".tzst"),
    "zst": (".zst",),
    "unreadable": (".7z", ".rar", ".tar.lz", ".tar.lzma", ".lz", ".lzma", ".lz4", ".br"),
}
_FORMAT_OF = {suffix: name for name, suffixes in FORMATS.items() for suffix in suffixes if suffix}
_FORMAT_SUFFIXES = sorted(_FORMAT_OF, key=len, reverse=True)
#: Packings of one file, whose own ending stands before theirs.
_OF_ONE_FILE = ("bare", "gz", "xz", "bz2", "zst")


def _table(kinds: dict[str, str]) -> dict[str, str]:
    return {word: kind for kind, words in kinds.items() for word in words.split()}


_SUFFIX_KINDS = _table(
    {
        "signature": "sig asc pem cert crt gpg pgp minisig sigstore bundle pub key jsonl att proof signature "
        "provenance",
        "checksum": "sha256 sha512 sha1 sha384 md5 sha sum sums sha256sum sha256sums sha512sum sha512sums sha1sum "
        "md5sum checksum checksums digest digests dgst hash hashes b2 b3 blake3",
        "sbom": "sbom spdx cdx cyclonedx",
        "package": "deb rpm apk msi pkg dmg appimage snap flatpak msix msixbundle appx appxbundle nupkg vsix xpi ipk "
        "bottle app gem conda crate aab udeb artifactbundle",
        "debug": "pdb dsym dwp debug dbg sym symbols map",
        "java": "jar war",
        "library": "so dylib dll a lib o node xcframework",
        "wasm": "wasm",
        "image": "iso img qcow2 vmdk vhd vhdx ova raw squashfs box docker oci sif efi uf2 hex",
        "script": "sh ps1 psm1 bat cmd py pyz pex rb pl lua js mjs cjs ts php phar",
        "metadata": "json txt md yaml yml toml xml html pdf svg png desktop service plist proto zsync blockmap nix log "
        "conf 1 2 3 4 5 6 7 8 bash zsh fish elv nu",  # shells also read completions and plugins
        "installer": "run installer setup",
    }
)
#: Packages for one system only. (An .apk is Android's or Alpine's.)
_SUFFIX_SYSTEMS = {
    **dict.fromkeys(("deb", "rpm", "appimage", "snap", "flatpak"), "linux"),
    **dict.fromkeys(("dmg", "pkg"), "macos"),
    **dict.fromkeys(("msi", "msix", "msixbundle", "appx", "appxbundle"), "windows"),
}
#: Words that say what a file is, wherever they stand.
_WORD_KINDS = _table(
    {
        "checksum": "checksum checksums shasum shasums sha256sum sha256sums sha512sum sha512sums sha1sums md5sums "
        "sha256 sha512 sha1 md5 sums shasums256 shasums512 b3sums",
        "signature": "provenance attestation attestations intoto slsa signature signatures sigstore cosign",
        "sbom": "sbom sboms spdx cyclonedx bom cdx",
        "source": "src source sources vendor vendored sdist buildable submodules",
        "debug": "debug dbg dbgsym debuginfo debugsymbols debugsyms debugimage symbols dsym dsyms pdb pdbs unstripped "
        "profile profiling asan tsan msan",
        "installer": "installer installers nsis setup install uninstall bootstrapper updater",
        "package": "deb rpm msi dmg appimage flatpak bottle homebrew chocolatey choco",
        "image": "image images oci airgap rootfs initramfs kernel firmware",
        "metadata": "completions completion man manpage manpages manual docs doc documentation license licenses "
        "licence licences notice notices readme changelog schema schemas manifest manifests example examples crds "
        "themes openapi metadata thirdparty",
        "library": "devel headers capi staticlib cdylib xcframework nupkg npm wheel wheels odbc jdbc",
        "java": "jar jars",
        "wasm": "wasm wasm32 wasi",
    }
)
WORDS_OF_KINDS = frozenset(_WORD_KINDS)
_EXE = re.compile(r"\.exe(?:\.\w{2,4}|\.tar\.\w{2,4})?$", re.IGNORECASE)


def without_suffix(name: str) -> tuple[str, str]:
    """Return *name* without the endings of its packing, and the packing, a key of FORMATS."""
    lowered = name.lower()
    for suffix in _FORMAT_SUFFIXES:
        if lowered.endswith(suffix) and len(name) > len(suffix):
            stem = name[: -len(suffix)]
            return (stem[:-4] if stem.lower().endswith(".exe") else stem), _FORMAT_OF[suffix]
    return name, "bare"


def system_of_suffix(name: str) -> str | None:
    """Return the one system that files with this ending are for (``.exe``, ``.deb``); None if they tell none."""
    return "windows" if _EXE.search(name) else _SUFFIX_SYSTEMS.get(name.lower().rpartition(".")[2])


def kind_of(name: str, stem: str, packing: str, product: Iterable[str], ends_in_a_word: bool) -> str:
    """Return the kind of file: by its ending, else by a word beside its platform and product, else a program.

    *ends_in_a_word*: the text after the last dot of *stem* is a platform, a version or a part of the tool's name.
    """
    words = list(product)
    by_suffix = _by_suffix(name) or _by_suffix(stem)
    by_word = next((_WORD_KINDS[word] for word in words if word in _WORD_KINDS), None)
    if by_word is None and any(word.endswith(("setup", "installer")) for word in words):
        by_word = "installer"
    if by_suffix in ("metadata", "script") and by_word in ("checksum", "signature", "sbom", "installer"):
        return by_word
    if by_suffix or by_word:
        return by_suffix or by_word or "other"
    if stem.startswith("_") and packing == "bare":
        return "metadata"  # a completion for zsh
    has_suffix = "." in stem and packing in _OF_ONE_FILE and not _EXE.search(name)
    return "other" if has_suffix and not ends_in_a_word else "program"


def _by_suffix(name: str) -> str | None:
    """Return the kind that the last ending says. A single digit is a section of the manual."""
    before, _dot, suffix = name.lower().rpartition(".")
    is_version = suffix.isdigit() and not before[-1:].isalpha()
    return _SUFFIX_KINDS.get(suffix) if before and not is_version else None
