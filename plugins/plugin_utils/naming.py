# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the name of a published file say: which platform, what sort of file, which product? Pure; controller.

A name is cut into words; the tool's name and the version are taken out first, so that they cannot pass for a platform.
What remains are words that name a platform, words that name a sort of file, and the *product*: everything else.

Names follow: Rust target triples, Go's GOOS/GOARCH, Node's process.platform/arch, Debian and RPM architectures, wheel
tags (PEP 425, 513, 571, 599, 600, 656), npm's ``os``/``cpu``/``libc`` fields and the x86-64 levels of the psABI.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset

#: No file system holds a longer file name; what claims one is not read.
LONGEST_NAME = 255


@dataclass(frozen=True)
class Label:
    """What a name says of a platform, in the words of requirement.py. None: it does not say.

    An *os* or *arch* that no platform here has (``wasi``, ``solaris``, ``mixed``) is kept as that word: such a file is
    labelled, for something else. *archs* holds the architectures of a universal file, whose *arch* then is None.
    """

    os: str | None = None
    arch: str | None = None
    abi: str | None = None
    libc: str | None = None
    libc_min: str | None = None
    cpu: str | None = None
    archs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """All that one name was read to say.

    product         the words left over beside the tool's own name: () is the tool itself
    is_named        the tool's name stands in the name
    has_vague_arch  its architecture rests on a word that publishers use in two senses (``x86``, ``win32``)
    has_version     it names a version
    is_this_version it names the version of the release
    neutral         how many of its words only say how it was packed (``portable``, ``release``)
    format          its packing, a key of FORMATS
    distribution    the Linux distribution, and its version, that it names
    toolchain       ``msvc``, ``gnu`` … of a Windows build
    """

    name: str
    label: Label
    kind: str
    size_bytes: int | None = None
    product: tuple[str, ...] = ()
    is_named: bool = False
    has_vague_arch: bool = False
    neutral: int = 0
    format: str = "bare"
    has_version: bool = False
    is_this_version: bool = False
    distribution: str = ""
    toolchain: str = ""

    @property
    def is_labelled(self) -> bool:
        """Its name says a platform, or a part of one."""
        return bool(self.label.os or self.label.arch or self.label.archs)


def label(name: str, tool: str, version: str = "", platform: Mapping[str, str] | None = None) -> Label:
    """Return what *name* says of its platform; the publisher's own *platform* fields, where given, outrank the name."""
    return read(Asset(name=name, url="", platform=platform or {}), (tool,), version).label


def kind(name: str, tool: str = "", version: str = "") -> str:
    """Return what sort of file *name* is: ``program``, or one of KINDS that it is instead.

    ``program`` covers archives of programs and bare ones; ``other`` is a suffix that nothing here knows.
    """
    return read(Asset(name=name, url=""), (tool,), version).kind


def release_number(version: str) -> str:
    """Return *version* from its first digit on: the part of a tag that file names repeat (``v1.2``, ``jq-1.2``)."""
    found = re.search(r"\d.*", version[:LONGEST_NAME])
    return found.group() if found else version[:LONGEST_NAME]


def is_platform_word(text: str) -> bool:
    """Tell whether a piece of a name, between separators, says a platform."""
    words = _words(text)
    return bool(words) and all(word in _WORDS for word in words)


def read_release(assets: Sequence[Asset], tool: str, version: str) -> list[Reading]:
    """Read all names of one release, sorted. What all names of platforms begin with is taken for a product's name."""
    readings = [read(asset, (tool,), version) for asset in assets]
    heads = [_head(reading.name, version) for reading in readings if reading.is_labelled and reading.kind != "checksum"]
    common = _common_head(heads)
    if len(heads) > 1 and any(word in _WORD_KINDS for word in common):
        readings = [read(asset, (tool, "-".join(common)), version) for asset in assets]
    return sorted(readings, key=lambda reading: reading.name)


def read(asset: Asset, tools: Sequence[str], version: str) -> Reading:
    """Read one name; *tools* are the names of the tool. Never raises: what cannot be read is ``other``."""
    name = asset.name
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return Reading(name, Label(), "other", asset.size)
    if name.lower().endswith(".whl"):
        return _read_wheel(asset, tools)
    stem, packing = _without_suffix(name)
    written = _words(stem, version)
    words, is_named = _without_tools(written, tools)
    said, rest = _platform_words(words)
    facts = _facts(said, "windows" if _EXE.search(name) else _SUFFIX_SYSTEMS.get(name.lower().rpartition(".")[2]))
    facts = _with_metadata(facts, asset.platform)
    product = tuple(w for w in rest if w not in _NEUTRAL and w not in _MARKS and not _VERSION_WORD.fullmatch(w))
    kind_of_file = _kind(name, stem, packing, product, tools)
    if kind_of_file == "script" and product[-1:] == (stem.lower().rpartition(".")[2],):
        product = product[:-1]
    return Reading(
        name=name,
        label=_as_label(facts),
        kind=kind_of_file,
        size_bytes=asset.size,
        product=product,
        is_named=is_named,
        has_vague_arch="arch" not in facts and "doubtful" in facts,
        neutral=sum(word in _NEUTRAL for word in rest),
        format=packing,
        is_this_version=_names_version(stem, version),
        has_version=any(word == _BREAK or _VERSION_WORD.fullmatch(word) for word in rest),
        distribution=facts.get("distribution", ""),
        toolchain=next((word for word in ("msvc", "gnullvm", "mingw", "gnu") if word in said), ""),
    )


# What a name is made of. Two tables of words: platforms, and kinds of files. A new spelling is one entry here.

_ARM_HARD = {"arch": "arm", "abi": "eabihf"}
_OS_WORDS: dict[str, dict[str, str]] = {
    **{word: {"os": "linux"} for word in ("linux", "gnulinux", "lin", "lnx")},
    **{word: {"os": "macos"} for word in ("macos", "macosx", "darwin", "osx", "mac", "apple", "macintosh")},
    # Releases of macOS, as its packagers name them.
    **{word: {"os": "macos"} for word in ("mojave", "catalina", "bigsur", "monterey", "ventura", "sonoma", "sequoia")},
    **{word: {"os": "windows"} for word in ("windows", "win", "msvc", "mingw", "winnt", "uwp", "msys", "gnullvm")},
    **{word: {"os": "freebsd"} for word in ("freebsd", "fbsd")},
    "openbsd": {"os": "openbsd"},
    "netbsd": {"os": "netbsd"},
    **{word: {"os": "dragonfly"} for word in ("dragonfly", "dragonflybsd")},
    **{word: {"os": "illumos"} for word in ("illumos", "sunos", "smartos", "omnios")},
    **{word: {"os": "android"} for word in ("android", "androideabi", "termux", "bionic")},
    # Systems that no platform here has: named, so that their files are not taken for unlabelled ones.
    **{
        word: {"os": word}
        for word in (
            *("solaris", "aix", "plan9", "ios", "iphoneos", "tvos", "watchos", "visionos", "maccatalyst", "catalyst"),
            *("openharmony", "haiku", "fuchsia", "hurd", "redox", "qnx", "nto", "zos", "dos", "msdos", "os2"),
            *("cygwin", "wasi"),
            *("wasip1", "wasip2", "emscripten", "openwrt", "bsd", "ohos", "harmonyos", "uefi", "hermit", "serenity"),
        )
    },
}
#: Words of a distribution say Linux, and which libc; how new a libc is not said, and not guessed.
_DISTRIBUTIONS: dict[str, dict[str, str]] = {
    **{
        word: {"os": "linux", "libc": "glibc", "distribution": word}
        for word in (
            *("debian", "ubuntu", "centos", "fedora", "rhel", "redhat", "rocky", "rockylinux", "alma", "almalinux"),
            *("amazonlinux", "amzn", "amzn2", "al2", "al2023", "suse", "opensuse", "sles", "archlinux", "raspbian"),
            *("raspios", "bookworm", "bullseye", "buster", "stretch", "trixie", "focal", "jammy", "noble"),
            *("bionicbeaver", "xenial", "oraclelinux", "slackware"),
        )
    },
    "alpine": {"os": "linux", "libc": "musl"},
    "alpinelinux": {"os": "linux", "libc": "musl"},
}
_ARCH_WORDS: dict[str, dict[str, str]] = {
    **{word: {"arch": "x86_64"} for word in ("x8664", "amd64", "x64", "em64t", "64x", "x6486")},
    **{word: {"arch": "i686"} for word in ("i386", "i486", "i586", "i686", "386", "486", "586", "686", "ia32")},
    "x32": {"arch": "i686"},
    "gnux32": {"arch": "x86_64", "abi": "x32", "libc": "glibc"},
    **{word: {"arch": "aarch64"} for word in ("aarch64", "arm64", "armv8", "arm64e", "armv8a", "arm8", "armv9")},
    "arm": {"arch": "arm"},
    "arm32": {"arch": "arm"},
    "armhf": dict(_ARM_HARD),
    "armhfp": {**_ARM_HARD, "cpu": "armv7"},
    "armel": {"arch": "arm", "abi": "eabi"},
    "armeabi": {"arch": "arm"},
    **{word: {"arch": "arm", "cpu": "armv7"} for word in ("armv7", "armv7a", "armv7l", "arm7", "arm32v7", "armv7neon")},
    **{word: {"arch": "arm", "cpu": "armv7"} for word in ("thumbv7neon", "thumbv7", "armv7m", "armv7k", "armv7s")},
    **{word: {**_ARM_HARD, "cpu": "armv7"} for word in ("armv7hf", "armv7hl", "armv7hnl", "armv7lhf")},
    **{word: {"arch": "arm", "cpu": "armv6"} for word in ("armv6", "armv6l", "arm6", "arm32v6", "armv6kz")},
    **{word: {**_ARM_HARD, "cpu": "armv6"} for word in ("armv6hf", "armv6hl", "armv6lhf")},
    **{
        word: {"arch": "arm", "cpu": "armv5te"}
        for word in ("armv5", "armv5l", "armv5te", "armv5tel", "arm5", "arm32v5")
    },
    **{word: {"arch": "powerpc64le"} for word in ("ppc64le", "ppc64el", "powerpc64le", "powerpc64el", "ppcle64")},
    **{word: {"arch": "powerpc64"} for word in ("ppc64", "powerpc64")},
    **{word: {"arch": "powerpc"} for word in ("ppc", "powerpc", "ppc32")},
    "s390x": {"arch": "s390x"},
    **{word: {"arch": "riscv64"} for word in ("riscv64", "riscv64gc", "riscv", "riscv64a23")},
    "riscv32": {"arch": "riscv32"},
    **{word: {"arch": "loongarch64"} for word in ("loong64", "loongarch64", "loongson64", "loongarch")},
    **{word: {"arch": "mips64el"} for word in ("mips64el", "mips64le")},
    **{word: {"arch": "mipsel"} for word in ("mipsel", "mipsle", "mips32le", "mips32el", "mipsisa32r6el")},
    "mips64": {"arch": "mips64"},
    **{word: {"arch": "mips"} for word in ("mips", "mips32")},
    **{word: {"arch": "sparc64"} for word in ("sparc64", "sparcv9")},
    # Architectures that no platform here has.
    **{
        word: {"arch": word}
        for word in (
            *("wasm", "wasm32", "wasm64", "armeb", "armv7r", "thumbv6", "aarch64be", "hppa", "ia64", "m68k"),
            *("s390", "sh4", "sparc", "ppcle", "e2k", "xtensa", "mipsisa64r6el", "amd64p32", "arm64ec"),
        )
    },
}
_OTHER_WORDS: dict[str, dict[str, str]] = {
    "gnu": {"libc": "glibc"},
    "glibc": {"libc": "glibc"},
    "gnueabi": {"libc": "glibc", "abi": "eabi"},
    "gnueabihf": {"libc": "glibc", "abi": "eabihf"},
    "musl": {"libc": "musl"},
    "musllinux": {"os": "linux", "libc": "musl"},
    "musleabi": {"libc": "musl", "abi": "eabi"},
    "musleabihf": {"libc": "musl", "abi": "eabihf"},
    "eabi": {"abi": "eabi"},
    "eabihf": {"abi": "eabihf"},
    "hf": {"abi": "eabihf"},
    "uclibc": {"libc": "uclibc"},
    "static": {"libc": "static"},
    "statically": {"libc": "static"},
    "manylinux": {"os": "linux", "libc": "glibc"},
    "applesilicon": {"os": "macos", "arch": "aarch64"},
    "silicon": {"os": "macos", "arch": "aarch64"},
    **{f"m{digit}": {"arch_on_macos": "aarch64"} for digit in "1234"},
    **{word: {"universal": "yes"} for word in ("universal", "universal2", "universalbinary", "fat", "multiarch")},
    "all": {"universal": "yes"},
    # Soft words count only where no firm one stands; doubtful ones, publishers use in two senses.
    **{word: {"soft": "x86_64"} for word in ("64bit", "64", "amd", "intel", "intel64")},
    **{word: {"soft": "i686"} for word in ("32bit", "32")},
    **{word: {"doubtful": "i686"} for word in ("x86", "86")},
    "win64": {"os": "windows", "soft": "x86_64"},
    "win32": {"os": "windows", "doubtful": "i686"},
    # Levels of x86-64.
    "sse42": {"cpu": "x86-64-v2"},
    **{word: {"cpu": "x86-64-v3"} for word in ("avx2", "bmi2", "avx", "haswell", "modern")},
    "avx512": {"cpu": "x86-64-v4"},
    **{f"x8664v{level}": {"arch": "x86_64", "cpu": f"x86-64-v{level}"} for level in "234"},
    "x8664v1": {"arch": "x86_64"},
    # Filler of triples and runner names: part of a platform's spelling, without meaning of its own.
    **{word: {} for word in ("sse2", "power8", "power9", "rva20u64")},
    **{word: {} for word in ("unknown", "pc", "softfloat", "hardfloat", "w64", "ucrt", "crt", "latest", "v8a", "v7a")},
}
#: These say something of a platform only beside a word that surely does: an Intel GPU build is not an architecture.
_ONLY_BESIDE_ANOTHER = frozenset(
    (
        *("64", "32", "86", "amd", "intel", "all", "fat", "modern", "haswell", "hf", "m1", "m2", "m3", "m4"),
        *("latest", "unknown", "pc", "silicon", "lin", "universal", "universal2", "multiarch", "sse2"),
    )
)
_WORDS: dict[str, dict[str, str]] = {**_OS_WORDS, **_DISTRIBUTIONS, **_ARCH_WORDS, **_OTHER_WORDS}
#: Words that may stand fused, as in ``linuxarm64`` or ``macuniversal``.
_FUSED_TAILS = frozenset(_ARCH_WORDS) | {"64", "32", "64bit", "32bit", "x86", "intel", "musl", "gnu", "static"}
_FUSED_TAILS |= {"universal", "silicon", "armv7", "eabihf", "glibc"}
_FUSED_HEADS = frozenset(_OS_WORDS) - {"lin", "apple", "dos", "bsd", "ios", "bionic"}

#: Words that say how a program was packed, not which program it is.
_NEUTRAL = frozenset(
    (
        *("release", "releases", "stable", "bin", "binary", "binaries", "prebuilt", "precompiled", "dist", "portable"),
        *("standalone", "executable", "exe", "final", "build", "builds", "compiled", "native", "onefile", "single"),
        *("for", "the", "of", "version", "ver", "tar", "zip", "gz", "elf", "macho", "noarch", "any", "tarball"),
        *("archive", "self", "contained", "selfcontained", "prod", "production", "optimized", "opt", "lto"),
        *("stripped", "nightly", "snapshot", "signed", "codesigned", "notarized", "default"),
    )
)

#: Endings of archives and compressed files that hosts can open, best first: most widely readable, then smallest.
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
    "tar.zst": (".tar.zst", ".tzst", ".tar.zstd"),
    "zst": (".zst", ".zstd"),
    "unreadable": (
        ".7z",
        ".rar",
        ".tar.lz",
        ".tar.lzma",
        ".tar.br",
        ".br",
        ".lz4",
        ".lz",
        ".lzma",
        ".tar.lz4",
        ".tar.z",
    ),
}
_FORMAT_OF = {suffix: name for name, suffixes in FORMATS.items() for suffix in suffixes if suffix}
_FORMAT_SUFFIXES = sorted(_FORMAT_OF, key=len, reverse=True)

_SUFFIX_KINDS: dict[str, str] = {
    suffix: kind_name
    for kind_name, suffixes in {
        "signature": "sig asc pem cert crt cer gpg minisig sigstore bundle cosign p7s pub key att jwt tsr pgp sign "
        "sigstore.json intoto.jsonl jsonl attestation proof cosign.bundle signature ots slsa provenance pubkey rekor",
        "checksum": "sha256 sha512 sha1 sha224 sha384 md5 sha sum sums sha256sum sha256sums sha512sum sha512sums "
        "sha1sum md5sum md5sums shasum checksum checksums digest digests b3 b2 b3sum b2sum blake3 blake2b dgst hash "
        "hashes sfv sha3 sha2 crc32 sha-256 sha-512 sha_256 sha256.txt",
        "sbom": "sbom spdx cdx cyclonedx bom sbom.json spdx.json cdx.json cyclonedx.json bom.json syft.json",
        "package": "deb rpm apk msi pkg dmg appimage snap flatpak flatpakref msix msixbundle appx appxbundle nupkg "
        "pkg.tar.zst pkg.tar.xz pkg.tar.gz xbps eopkg ipk bottle.tar.gz vsix xpi crx aab ipa gem conda app udeb "
        "app.zip app.tar.gz msi.zip dmg.zip nsis.zip appimage.tar.gz appimage.zip ddeb mpkg solpkg p5p hap rockspec "
        "crate rock jmod oci.tar snupkg nupkg.zip cab ebuild spk qpkg unitypackage",
        "debug": "pdb dsym dwp debug dbg sym symbols map debug.gz dsym.zip dsym.tar.gz pdb.zip pdb.gz debug.tar.gz",
        "java": "jar war ear aar class",
        "library": "so dylib dll a lib h hpp o rlib node lua51 jnilib framework xcframework xcframework.zip",
        "wasm": "wasm wasm.gz wat cwasm",
        "image": "iso img qcow2 vmdk vhd vhdx vhd.zip ova ovf box raw squashfs ext4 efi uf2 hex elf.gz sif vdi "
        "img.gz img.xz img.zst qcow2.xz raw.xz raw.gz docker.tar docker.tar.gz oci tar.docker initrd vmlinux bzimage",
        "script": "sh bash zsh fish ps1 psm1 psd1 bat cmd py pyz pyc pex rb pl lua js mjs cjs ts cts mts php phar awk "
        "vim el nu tcl r vbs ahk shar elv xsh ksh",
        "metadata": "json txt md yaml yml toml xml html htm csv tsv ini conf cfg rst adoc pdf svg png jpg jpeg gif ico "
        "webp css scss rdf patch diff lock plist service desktop proto zsync blockmap nix tf hcl cue log env rtf "
        "properties sql db sqlite tmpl tpl asciidoc man license list index metadata manifest nuspec wxs spec "
        "graphql jsonnet rego torrent ttf otf woff woff2 mp4 webm ipynb whl.metadata sublime-syntax tmlanguage d.ts "
        "1 2 3 4 5 6 7 8 1.gz 5.gz 8.gz json.gz json.zip txt.gz json5 jsonc har bib tex po pot mo zsh-theme epub",
        "installer": "run installer setup",
    }.items()
    for suffix in suffixes.split()
}
_DEEPEST_SUFFIX = 3
#: Packages for one system only. (An .apk is Android's or Alpine's.)
_SUFFIX_SYSTEMS = {
    **dict.fromkeys(("deb", "rpm", "appimage", "snap", "flatpak"), "linux"),
    **dict.fromkeys(("dmg", "pkg", "mpkg"), "macos"),
    **dict.fromkeys(("msi", "msix", "msixbundle", "appx", "appxbundle"), "windows"),
}

_WORD_KINDS: dict[str, str] = {
    word: kind_name
    for kind_name, words in {
        "checksum": "checksum checksums shasum shasums sha256sum sha256sums sha512sum sha512sums sha1sum sha1sums "
        "md5sum md5sums digests digest sha256 sha512 sha1 md5 b2sums b3sums sums shasums256 shasums512",
        "signature": "provenance attestation attestations intoto slsa signature signatures sigstore keyless",
        "sbom": "sbom spdx cyclonedx sboms bom",
        "source": "src source sources sourcecode srcs vendor vendored sdist buildable submodules srpm",
        "debug": "debug dbg dbgsym debuginfo symbols debugsymbols dsym dsyms pdb pdbs unstripped profile profiling "
        "asan tsan msan ubsan sanitizer instrumented debugger",
        "installer": "installer installers setup install uninstaller uninstall websetup bootstrapper updater",
        "package": "deb rpm msi dmg appimage flatpak nsis homebrew bottle chocolatey choco msix debs rpms",
        "image": "image images oci airgap rootfs vmlinuz initramfs firmware kernel",
        "metadata": "completions completion autocomplete man manpage manpages manual docs doc documentation license "
        "licenses licence licences notice notices readme changelog schema schemas manifest manifests examples example "
        "samples crds crd testdata fixtures themes fonts icons coverage sbomdocs openapi swagger chart charts "
        "translations locales dashboards grammars queries thirdparty examplefiles metadata",
        "library": "devel headers header capi staticlib cdylib sharedlib xcframework nupkg npm wheel wheels gem",
        "java": "jar jars",
        "wasm": "wasm wasm32 wasi",
    }.items()
    for word in words.split()
}
_SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<![a-z0-9])glibc[-_.]?(2)[._]?(\d{1,2})(?!\d)", r" glibc glibcmin\1x\2 "),
        (r"(?<![a-z0-9])gnu[.]?(2)[.](\d{1,2})(?!\d)", r" glibc glibcmin\1x\2 "),
        (r"sse4[._-]2", " sse42 "),
        (r"sha[23]?[-_](1|224|256|384|512)", r"sha\1"),
        (r"(?<!\d)64[-_ ]bits?(?![a-z])", " 64bit "),
        (r"(?<!\d)32[-_ ]bits?(?![a-z])", " 32bit "),
        (r"(?:amd64|x64|x86[-_. ]?64)[-_.]?v([1-4])(?![0-9a-z]|\.\d)", r" x8664v\1 "),
        (r"x86[-_. ]64(?:[-_ ]?bit)?(?!\d)", " x8664 "),
        (r"x8664(?:bit)?(?![0-9v])", " x8664 "),
        (r"x64[-_]86(?!\d)", " x8664 "),
        (r"x86[-_]?32(?:bit)?(?!\d)", " i686 "),
        (r"aarch[-_]?64[-_]be(?![a-z])", " aarch64be "),
        (r"aarch[-_]64(?!\d)", " aarch64 "),
        (r"(?<![a-z])arm64[-_]?v8(?:a|[.]\d)?(?!\d)", " arm64 "),
        (r"(?<![a-z])arm[-_](?:64bit|64)(?!\d)", " arm64 "),
        (r"(?<![a-z])arm64bit(?!\d)", " arm64 "),
        (r"(?<![a-z])64bit[-_ ]+arm(?![0-9a-z])", " arm64 "),
        (r"(?<![a-z])arm(?:32|eabi)?[-_/]v?([567])a?(?![0-9a-z.])", r" armv\1 "),
        (r"ppcle[-_]64", " ppc64le "),
        (r"ppc64[-_](?:le|el)(?![a-z])", " ppc64le "),
        (r"(?:ppc|powerpc)[-_]64(?!\d)", " ppc64 "),
        (r"s390[-_]64", " s390x "),
        (r"risc[-_]?v[-_]?64(?:gc)?", " riscv64 "),
        (r"mips64[-_](?:le|el)", " mips64el "),
        (r"apple[-_ ]?silicon", " applesilicon "),
        (r"universal[-_ ]binary", " universal "),
        (r"(?<![a-z])mac[-_ ]?os[-_ ]?x?(?![a-z])", " macos "),
        (r"(?<![a-z])os[-_]x(?![a-z0-9])", " macos "),
        (r"(?<![a-z])linux[-_]?gnu(eabihf|eabi)?(?![a-z])", r" linux gnu\1 "),
        (r"(?<![a-z])arch[-_]linux", " archlinux "),
        (r"(?<![a-z])mingw[-_]?w?(?:32|64)?(?![a-z0-9])", " mingw "),
        (r"(?<![a-z])cygwin(?:32|64)?(?![a-z0-9])", " cygwin "),
        (r"third[-_]party", " thirdparty "),
        (r"source[-_]code", " source "),
        (r"c[-_]api(?![a-z])", " capi "),
    )
)
#: Case marks a system's name inside a run of letters (``toolLinux``, ``ToolMacOS``).
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=(?:Linux|Windows|MacOSX|MacOS|Mac|Darwin|OSX|Win32|Win64|Win|FreeBSD)(?![a-z]))")
_DOTTED_VERSION = re.compile(
    r"(?<!\d)(?:(?<![a-z0-9])v)?\d+(?:[.]\d+)+"
    r"(?:[-_.+~]?(?:alpha|beta|rc|pre|preview|dev|post|snapshot|nightly|canary|next)(?![a-z])[-_.]?\d*(?:[.]\d+)*)?"
)
_VERSION_WORD = re.compile(
    r"v?\d+[a-z]?|v\d\w*|(?:rc|alpha|beta|pre|preview|rev|r|b)\d*|(?=[a-f]*\d)[0-9a-f]{7,40}|g[0-9a-f]{7,40}"
)
_ENTERPRISE_LINUX = re.compile(r"(?:el|rhel|centos|rocky|alma)(\d{1,2})")
_NUMBERED = re.compile(r"([a-z]+?)(\d{1,4})")
_NUMBERED_SYSTEMS = (frozenset(_OS_WORDS) | frozenset(_DISTRIBUTIONS)) - {"linux", "lin"}
_GLIBC_MIN = re.compile(r"glibcmin(\d)x(\d{1,2})")
_EXE = re.compile(r"\.exe(?:\.\w{2,4}|\.tar\.\w{2,4})?$", re.IGNORECASE)
_LONGEST_FUSED = 24
#: A general word beside a special one means the special system.
_SPECIAL_SYSTEMS: tuple[tuple[str, frozenset[str]], ...] = (
    ("linux", frozenset({"android", "openwrt", "ohos", "harmonyos", "openharmony"})),
    ("macos", frozenset({"ios", "iphoneos", "tvos", "watchos", "visionos", "maccatalyst", "catalyst"})),
    ("windows", frozenset({"cygwin"})),
)
_PLATFORM_FIELD: dict[str, dict[str, str]] = {
    "os": {word: fact["os"] for word, fact in _OS_WORDS.items()} | {"win32": "windows"},
    "cpu": {word: fact["arch"] for word, fact in _ARCH_WORDS.items() if "arch" in fact} | {"x86_64": "x86_64"},
}
_WHEEL_TAGS: tuple[tuple[re.Pattern[str], str, str | None], ...] = tuple(
    (re.compile(pattern), system, libc)
    for pattern, system, libc in (
        (r"(?P<old>manylinux1|manylinux2010|manylinux2014)_(?P<arch>\w+)", "linux", "glibc"),
        (r"manylinux_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>\w+)", "linux", "glibc"),
        (r"musllinux_\d+_\d+_(?P<arch>\w+)", "linux", "musl"),
        (r"linux_(?P<arch>\w+)", "linux", None),
        (r"macosx_\d+_\d+_(?P<arch>\w+)", "macos", None),
        (r"win_(?P<arch>\w+)", "windows", None),
        (r"win(?P<arch>32)", "windows", None),
        (r"android_\d+_(?P<arch>\w+)", "android", None),
        (r"freebsd_\d+_\w+?_(?P<arch>amd64|arm64|aarch64|i386)", "freebsd", None),
        (r"ios_\w+", "ios", None),
    )
)
_OLD_MANYLINUX = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17"}
_WHEEL_ARCHES = {"x86_64": "x8664", "amd64": "x8664", "arm64_v8a": "arm64", "armeabi_v7a": "armv7", "32": "i686"}
_FAT_MACOS = {"universal2": ("aarch64", "x86_64"), "intel": ("i686", "x86_64"), "fat64": ("powerpc64", "x86_64")}
#: Stands where a version stood: it parts a name into clusters of words.
_BREAK = "|"
#: Stands where the tool's name stood.
_NAME = "&"
_MARKS = frozenset({_BREAK, _NAME})


def _head(name: str, version: str) -> tuple[str, ...]:
    """Return the words of *name* before its platform and version."""
    words = _words(_without_suffix(name)[0], version)
    end = next((index for index, word in enumerate(words) if word == _BREAK or word in _WORDS), len(words))
    return words[:end]


def _common_head(heads: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    common = heads[0] if heads else ()
    for head in heads:
        while head[: len(common)] != common:
            common = common[:-1]
    return common


def _without_suffix(name: str) -> tuple[str, str]:
    """Return *name* without the endings that say how it is packed, and that packing."""
    lowered = name.lower()
    for suffix in _FORMAT_SUFFIXES:
        if lowered.endswith(suffix) and len(name) > len(suffix):
            stem = name[: -len(suffix)]
            return (stem[:-4] if stem.lower().endswith(".exe") else stem), _FORMAT_OF[suffix]
    return name, "bare"


@lru_cache(maxsize=64)
def _version_pattern(version: str) -> re.Pattern[str] | None:
    """Return what finds *version* in a name, whichever separators the publisher wrote it with."""
    found = re.search(r"\d.*", version.lower()[:LONGEST_NAME], re.DOTALL)
    parts = [part for part in re.split(r"[^0-9a-z]+", found.group() if found else "") if part]
    if not parts or parts in (["32"], ["64"], ["86"], ["386"]):
        return None
    body = r"[-_.+~]{1,2}".join(re.escape(part) for part in parts)
    if len(parts) == 1:
        return re.compile(rf"(?<![0-9a-z])v?{body}(?![0-9a-z])")
    return re.compile(rf"(?<!\d)(?<!\d\.)(?:(?<![a-z])v)?{body}(?!\d)")


def _names_version(text: str, version: str) -> bool:
    """Tell whether *text* repeats the version of its release."""
    pattern = _version_pattern(version)
    return pattern is not None and pattern.search(text.lower()) is not None


@lru_cache(maxsize=4096)
def _words(text: str, version: str = "") -> tuple[str, ...]:
    """Cut *text* into words: a version becomes _BREAK, a spelling with separators of its own becomes one word."""
    text = _CAMEL.sub("-", text).lower().replace(_BREAK, " ")
    pattern = _version_pattern(version)
    if pattern is not None:
        text = pattern.sub(f" {_BREAK} ", text)
    for spelling, replacement in _SPELLINGS:
        text = spelling.sub(replacement, text)
    text = _DOTTED_VERSION.sub(f" {_BREAK} ", text)
    words: list[str] = []
    for word in re.split(r"[^a-z0-9|]+", text):
        words.extend(_unfused(word))
    return tuple(words)


def _unfused(word: str) -> list[str]:
    """Split ``linuxarm64`` into its two words, ``ubuntu2204`` into word and number; leave any other word whole."""
    if not word or word in _WORDS or len(word) > _LONGEST_FUSED:
        return [word] if word else []
    enterprise = _ENTERPRISE_LINUX.fullmatch(word)
    if enterprise:
        return ["rhel", enterprise.group(1)]
    numbered = _NUMBERED.fullmatch(word)
    if numbered and (numbered.group(1) in _OS_WORDS or numbered.group(1) in _DISTRIBUTIONS):
        return [numbered.group(1), numbered.group(2)]
    for cut in range(len(word) - 2, 1, -1):
        head, tail = word[:cut], word[cut:]
        if head in _FUSED_HEADS:
            parts = [tail] if tail in _FUSED_TAILS else _unfused(tail)
            if parts and all(part in _FUSED_TAILS or part in _FUSED_HEADS for part in parts):
                return [head, *parts]
        if head in _ARCH_WORDS and tail in _FUSED_HEADS:
            return [head, tail]
    return [word]


def _without_tools(words: tuple[str, ...], tools: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """Return *words* without the tool's names, and whether one stood there.

    A name is looked for at the beginning first; further on only if it is not itself made of a platform's words.
    """
    is_named = False
    for tool in tools:
        sought = _words(tool[:LONGEST_NAME])
        compact = "".join(sought)
        if not compact:
            continue
        starts = range(len(words)) if any(word not in _WORDS for word in sought) else range(min(1, len(words)))
        found = next(((i, end) for i in starts for end in [_end_of(words, i, compact)] if end), None)
        if found is not None:
            words = (*words[: found[0]], _NAME, *words[found[1] :])
            is_named = True
            continue
        fused = _unfused(words[0][len(compact) :]) if words and words[0].startswith(compact) else []
        if fused and all(part in _FUSED_HEADS or part in _FUSED_TAILS for part in fused):
            words = (_NAME, *fused, *words[1:])
            is_named = True
    return words, is_named


def _end_of(words: Sequence[str], start: int, compact: str) -> int | None:
    """Return where *compact*, spelled from words[start] with whatever separators, ends; None if it is not there."""
    at = 0
    for index in range(start, len(words)):
        if not compact.startswith(words[index], at):
            return None
        at += len(words[index])
        if at == len(compact):
            return index + 1
    return None


def _platform_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part *words* into those that say the platform, and the rest.

    Words of a platform stand together, at most parted by a version. Where two groups of them contradict each other,
    the last one is the platform and the others belong to a product's name (``darwin-exporter-linux-amd64``). So does
    a group that names neither system nor architecture (``static-web-server-x86_64-linux``).
    """
    groups: list[list[str]] = [[]]
    rest: list[str] = []
    for index, word in enumerate(words):
        is_number_of_system = word.isdigit() and groups[-1] and groups[-1][-1] in _NUMBERED_SYSTEMS
        if is_number_of_system or _says_platform(words, index) or _is_vendor(words, index):
            groups[-1].append(word)
            continue
        rest.append(word)
        is_version = word in _MARKS or _VERSION_WORD.fullmatch(word) is not None
        if groups[-1] and not (is_version and _continues(words, index, groups[-1])):
            groups.append([])
    said: list[str] = []
    for group in reversed(groups):
        is_strong = any(_WORDS.get(word, {}).keys() & {"os", "arch", "soft", "doubtful"} for word in group)
        if is_strong and not (said and _contradict(group, said)):
            said = group + said
        else:
            rest.extend(group)
    return said, rest


def _continues(words: Sequence[str], index: int, group: Sequence[str]) -> bool:
    """After a version, more words of the same platform follow: ``static-1.2-linux-amd64``."""
    following = next((at for at in range(index + 1, len(words)) if words[at] not in _MARKS), None)
    if following is None or not _says_platform(words, following):
        return False
    return not _contradict(group, [words[following]])


def _says_platform(words: Sequence[str], index: int) -> bool:
    """Some words mean a platform only next to one that surely does."""
    if words[index] not in _ONLY_BESIDE_ANOTHER:
        return words[index] in _WORDS or _GLIBC_MIN.fullmatch(words[index]) is not None
    neighbours = [*words[max(0, index - 2) : index], *words[index + 1 : index + 2]]
    return any(word in _WORDS and word not in _ONLY_BESIDE_ANOTHER for word in neighbours)


def _is_vendor(words: Sequence[str], index: int) -> bool:
    """A triple's second field, between architecture and system, is anyone's name: ``s390x-ibm-linux-musl``."""
    is_between = 0 < index < len(words) - 1 and words[index - 1] in _ARCH_WORDS and words[index + 1] in _OS_WORDS
    return is_between and words[index] not in _MARKS and words[index] not in _WORD_KINDS


def _contradict(first: Sequence[str], second: Sequence[str]) -> bool:
    """Two groups of words name different systems, or different architectures."""
    one, other = _facts(first), _facts(second)
    return any(one.get(key, other.get(key)) != other.get(key, one.get(key)) for key in ("os", "arch"))


def _facts(said: Sequence[str], of_suffix: str | None = None) -> dict[str, str]:
    """Put together what the words of a platform say."""
    facts: dict[str, str] = {}
    systems = {fact["os"] for word in said if "os" in (fact := _WORDS.get(word, {}))}
    arches = {fact["arch"] for word in said if "arch" in (fact := _WORDS.get(word, {}))}
    libcs = {fact["libc"] for word in said if "libc" in (fact := _OTHER_WORDS.get(word, {}))}
    for index, word in enumerate(said):
        minimum = _GLIBC_MIN.fullmatch(word)
        if minimum:
            facts["libc_min"] = f"{minimum.group(1)}.{minimum.group(2)}"
        for key, value in _WORDS.get(word, {}).items():
            if key == "distribution":
                number = said[index + 1] if said[index + 1 : index + 2] and said[index + 1].isdigit() else ""
                value = f"{value}{number:0>4}" if number else value
            facts[key] = value
    if "distribution" in facts and "bionic" in said:
        systems.discard("android")  # the name of an Ubuntu, not of a libc
    if of_suffix:
        systems.add(of_suffix)
    if systems:
        facts["os"] = _one_system(systems)
    if len(arches) > 1:
        facts["arch"] = "mixed"
        facts["archs"] = " ".join(sorted(arches))
    if libcs:  # what is said of a libc outranks what a distribution has
        facts["libc"] = "static" if "static" in libcs else libcs.pop() if len(libcs) == 1 else "mixed"
    return facts


def _one_system(systems: set[str]) -> str:
    """Return the one system that several words mean: ``linux`` and ``android`` are Android. ``mixed``: none."""
    for general, special in _SPECIAL_SYSTEMS:
        if systems <= {general, *special} and systems & special:
            systems = systems - {general}
    return systems.pop() if len(systems) == 1 else "mixed"


def _with_metadata(facts: dict[str, str], platform: Mapping[str, str]) -> dict[str, str]:
    """Let npm's fields outrank the name. A field that lists several values, or what is excluded, says nothing."""
    told = {key: str(value).strip().lower() for key, value in platform.items()}
    system = _PLATFORM_FIELD["os"].get(told.get("os", ""))
    arch = _PLATFORM_FIELD["cpu"].get(told.get("cpu", ""))
    if system:
        facts = {**facts, "os": system}
    if arch == "powerpc64" and facts.get("os") == "linux":
        arch = "powerpc64le"  # Node has one word for both byte orders, and builds only this one for Linux
    if arch and arch != facts.get("arch"):
        facts = {key: value for key, value in facts.items() if key not in ("cpu", "abi", "archs", "universal")}
        facts["arch"] = arch
    if told.get("libc") in ("glibc", "musl"):
        facts = {**facts, "libc": told["libc"]}
    return facts


def _as_label(facts: Mapping[str, str]) -> Label:
    """Turn what the words say into a label: what a system settles (``x86`` on macOS is x86_64), what only ARM has."""
    system, arch, cpu, abi = facts.get("os"), facts.get("arch"), facts.get("cpu"), facts.get("abi")
    libc = facts.get("libc") if system in (None, "linux") else None
    soft = facts.get("soft") or facts.get("doubtful")
    if system == "macos":
        if "universal" in facts or facts.get("archs"):
            return Label(os=system, archs=tuple((facts.get("archs") or "aarch64 x86_64").split()))
        arch = {"arm": "aarch64", None: facts.get("arch_on_macos") or (soft and "x86_64")}.get(arch, arch)
        return Label(os=system, arch=arch, cpu=cpu if arch == "x86_64" else None)
    arch = arch or soft
    if arch is None and abi in ("eabi", "eabihf"):
        arch = "arm"
    if cpu and not cpu.startswith("arm" if arch == "arm" else "x86"):
        cpu = None
    if arch != "arm" and abi != "x32":
        abi = None
    return Label(system, arch, abi, libc, facts.get("libc_min") if libc == "glibc" else None, cpu)


def _kind(name: str, stem: str, packing: str, product: Sequence[str], tools: Sequence[str]) -> str:
    """Return the sort of file: by its ending, else by a word beside its platform and product, else a program."""
    by_suffix = _kind_by_suffix(name) or _kind_by_suffix(stem)
    by_word = next((_WORD_KINDS[word] for word in product if word in _WORD_KINDS), None)
    if by_word is None and any(word.endswith(("setup", "installer")) for word in product):
        by_word = "installer"
    if by_suffix in ("metadata", "script") and by_word in ("checksum", "signature", "sbom", "installer"):
        return by_word
    if by_suffix or by_word:
        return by_suffix or by_word or "other"
    last = stem.rpartition(".")[2] if "." in stem else ""
    if packing == "bare" and last and not _EXE.search(name) and not _is_part_of_a_name(last, tools):
        return "other"
    return "program"


def _kind_by_suffix(name: str) -> str | None:
    """Return what an ending says, the longest first. A number after a letter is a section of the manual."""
    parts = name.lower().split(".")
    for count in range(min(_DEEPEST_SUFFIX, len(parts) - 1), 0, -1):
        found = _SUFFIX_KINDS.get(".".join(parts[-count:]))
        before = parts[-count - 1]
        if found and not (parts[-count][:1].isdigit() and not before[-1:].isalpha()):
            return found
    return None


def _is_part_of_a_name(last: str, tools: Sequence[str]) -> bool:
    """What follows the last dot is a platform, a version or a piece of the product, not a suffix of its own."""
    words = [word for word in _words(last) if word != _BREAK]
    known = {word for tool in tools for word in _words(tool[:LONGEST_NAME])}
    return (
        all(w in _WORDS or w in _NEUTRAL or w in known or _VERSION_WORD.fullmatch(w) for w in words) or len(words) > 1
    )


def _read_wheel(asset: Asset, tools: Sequence[str]) -> Reading:
    """Read a wheel's name (PEP 427): its last three fields are tags, each of which may list several."""
    fields = asset.name[: -len(".whl")].lower().split("-")
    if len(fields) not in (5, 6):
        return Reading(asset.name, Label(), "other", asset.size)
    words, is_named = _without_tools(_words(fields[0]), tools)
    tags = [_wheel_tag(tag) for tag in fields[-1].split(".")]
    return Reading(
        name=asset.name,
        label=_merged(tags),
        # A wheel bound to one Python's ABI is an extension of that Python, not a program of its own.
        kind="program" if "none" in fields[-2].split(".") else "library",
        size_bytes=asset.size,
        product=tuple(word for word in words if word not in _MARKS),
        is_named=is_named,
        format="whl",
        has_version=True,
    )


def _wheel_tag(tag: str) -> Label:
    """Return what one platform tag of a wheel says."""
    for pattern, system, libc in _WHEEL_TAGS:
        found = pattern.fullmatch(tag)
        if not found:
            continue
        said = found.groupdict()
        word = said.get("arch") or ""
        if system == "macos" and word in _FAT_MACOS:
            return Label(os=system, archs=_FAT_MACOS[word])
        arch = _ARCH_WORDS.get(_WHEEL_ARCHES.get(word, word), {"arch": word})
        floor = _OLD_MANYLINUX.get(said.get("old") or "") or (
            f"{said['major']}.{said['minor']}" if said.get("major") else None
        )
        hard = "eabihf" if system == "linux" and arch["arch"] == "arm" else None
        return Label(system, arch["arch"], hard, libc, floor if libc == "glibc" else None, arch.get("cpu"))
    return Label() if tag == "any" else Label(os="mixed")


def _merged(tags: Sequence[Label]) -> Label:
    """Return what all tags of one wheel say together: with glibc's and musl's tags on it, it needs neither."""
    systems = {tag.os for tag in tags}
    arches = {arch for tag in tags for arch in (tag.archs or (tag.arch,)) if arch}
    libcs = {tag.libc for tag in tags}
    if len(systems) != 1 or not tags:
        return Label(os="mixed")
    first = tags[0]
    if len(arches) > 1:
        is_fat = first.os == "macos"
        return Label(os=first.os, arch=None if is_fat else "mixed", archs=tuple(sorted(arches)) if is_fat else ())
    floors = sorted((tag.libc_min for tag in tags if tag.libc_min), key=lambda text: [int(n) for n in text.split(".")])
    libc = "static" if {"glibc", "musl"} <= libcs else next((name for name in ("glibc", "musl") if name in libcs), None)
    return Label(first.os, first.arch, first.abi, libc, floors[0] if floors and libc == "glibc" else None, first.cpu)
