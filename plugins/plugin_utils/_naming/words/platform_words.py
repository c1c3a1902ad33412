# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which words say a platform, and which one? The tables, and what several words say together. Pure; controller.

The words are those of Rust target triples, Go's GOOS/GOARCH, Node's process.platform/arch, .NET's runtime identifiers,
Debian and RPM architectures, npm's ``os``/``cpu``/``libc`` fields, the x86-64 levels of the psABI, and common variants.
A new spelling is one entry here; a spelling that contains separators is one entry in name_words.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ansible_collections.pinned.release.plugins.plugin_utils._values.label import OTHER_ARCH, Label

_Facts = dict[str, str]


def _each(words: str, **facts: str) -> dict[str, _Facts]:
    """Return an entry for each of *words*, all of which say *facts*."""
    return {word: dict(facts) for word in words.split()}


OS_WORDS: dict[str, _Facts] = {
    **_each("linux lin lnx", os="linux"),
    **_each("macos macosx darwin osx mac apple", os="macos"),
    # Releases of macOS, by the names that packagers use.
    **_each("mojave catalina bigsur monterey ventura sonoma sequoia", os="macos"),
    **_each("windows win msvc mingw gnullvm", os="windows"),
    **_each("freebsd", os="freebsd"),
    **_each("openbsd", os="openbsd"),
    **_each("netbsd", os="netbsd"),
    **_each("dragonfly dragonflybsd", os="dragonfly"),
    **_each("illumos sunos omnios", os="illumos"),
    **_each("android androideabi termux bionic", os="android"),
    # Systems that no platform here has. They are listed so that their files do not count as unlabelled.
    **{
        word: {"os": word}
        for word in (
            *("solaris", "aix", "plan9", "ios", "tvos", "watchos", "visionos", "maccatalyst", "haiku", "fuchsia"),
            *(
                "redox",
                "dos",
                "cygwin",
                "wasi",
                "wasip1",
                "wasip2",
                "wasip3",
                "emscripten",
                "openwrt",
                "bsd",
                "openharmony",
            ),
        )
    },
}
#: Words of a distribution say Linux and the libc; how new the libc is is not said, and not guessed.
DISTRIBUTIONS: dict[str, _Facts] = {
    **{
        word: {"os": "linux", "libc": "glibc", "distribution": word}
        for word in (
            *("debian", "ubuntu", "centos", "fedora", "rhel", "rocky", "alma", "almalinux", "amazonlinux", "amazon2"),
            *("amazon2023", "al2", "al2023", "suse", "opensuse", "sles", "archlinux", "raspbian", "stretch", "buster"),
            *("bullseye", "bookworm", "trixie", "xenial", "focal", "jammy", "noble"),
        )
    },
    **_each("alpine", os="linux", libc="musl"),
    **_each("openssl libssl", distribution="openssl"),  # its version differs between distributions, as that of a libc
}
ARCH_WORDS: dict[str, _Facts] = {
    **_each("x8664 amd64 x64", arch="x86_64"),
    **_each("i386 i486 i586 i686 386 586 686 ia32 x32", arch="i686"),
    **_each("gnux32", arch="x86_64", abi="x32", libc="glibc"),
    **_each("aarch64 arm64 arm64e armv8", arch="aarch64"),
    **_each("arm arm32 armeabi", arch="arm"),
    **_each("armhf", arch="arm", abi="eabihf"),
    **_each("armel", arch="arm", abi="eabi"),
    **_each("armv7 armv7a armv7l arm7 arm32v7", arch="arm", cpu="armv7"),
    **_each("armv7hf armv7hl armhfp", arch="arm", abi="eabihf", cpu="armv7"),
    **_each("armv6 armv6l arm6 arm32v6", arch="arm", cpu="armv6"),
    **_each("armv6hf armv6hl", arch="arm", abi="eabihf", cpu="armv6"),
    **_each("armv5 armv5l armv5te armv5tel arm5 arm32v5", arch="arm", cpu="armv5te"),
    **_each("ppc64le ppc64el powerpc64le", arch="powerpc64le"),
    **_each("ppc64 powerpc64", arch="powerpc64"),
    **_each("ppc powerpc", arch="powerpc"),
    **_each("s390x", arch="s390x"),
    **_each("riscv64 riscv64gc riscv rv64gc", arch="riscv64"),
    **_each("riscv32", arch="riscv32"),
    **_each("loong64 loongarch64", arch="loongarch64"),
    **_each("mips64el mips64le", arch="mips64el"),
    **_each("mipsel mipsle mips32le", arch="mipsel"),
    **_each("mips64", arch="mips64"),
    **_each("mips mips32", arch="mips"),
    **_each("sparc64", arch="sparc64"),
    # Architectures that no platform here has.
    **{
        word: {"arch": word}
        for word in (
            *("wasm", "wasm32", "wasm64", "armeb", "armv7r", "aarch64be", "arm64ec", "hppa", "ia64", "m68k", "s390"),
            *("sh4", "sparc", OTHER_ARCH),
        )
    },
}
OTHER_WORDS: dict[str, _Facts] = {
    **_each("gnu glibc", libc="glibc"),
    **_each("gnueabi", libc="glibc", abi="eabi"),
    **_each("gnueabihf", libc="glibc", abi="eabihf"),
    **_each("musl", libc="musl"),
    **_each("musleabi", libc="musl", abi="eabi"),
    **_each("musleabihf", libc="musl", abi="eabihf"),
    **_each("musllinux", os="linux", libc="musl"),
    **_each("manylinux", os="linux", libc="glibc"),
    **_each("uclibc", libc="uclibc"),
    **_each("static", libc="static"),
    **_each("eabi", abi="eabi"),
    **_each("eabihf hf", abi="eabihf"),
    **_each("applesilicon silicon", os="macos", arch="aarch64"),
    **_each("m1 m2 m3 m4", arch_on_macos="aarch64"),
    **_each("universal universal2 fat multiarch all", universal="yes"),
    # Soft words count only if there is no firm one. Publishers use doubtful words in two senses.
    **_each("64bit 64bits 64 amd intel", soft="x86_64"),
    **_each("32bit 32bits 32", soft="i686"),
    **_each("x86 86", doubtful="i686"),
    **_each("win64 w64", os="windows", soft="x86_64"),
    **_each("w32", os="windows", soft="i686"),
    **_each("win32", os="windows", doubtful="i686"),
    # Levels of x86-64. If one build is called baseline, the plain one beside it is not for every processor.
    **_each("baseline noavx", cpu="x86-64-v1"),
    **_each("avx avx2 modern", cpu="x86-64-v3"),
    **_each("avx512", cpu="x86-64-v4"),
    **{f"x8664v{level}": {"arch": "x86_64", "cpu": f"x86-64-v{level}"} for level in "234"},
    "x8664v1": {"arch": "x86_64"},
    # Filler words of triples and runner names: parts of a platform's spelling without a meaning of their own.
    **_each("unknown pc sse2 softfloat hardfloat latest v8a v7a"),
}
WORDS: dict[str, _Facts] = {**OS_WORDS, **DISTRIBUTIONS, **ARCH_WORDS, **OTHER_WORDS}
#: These say a platform only beside a word that always does: a build for Intel GPUs does not say an architecture.
ONLY_BESIDE_ANOTHER = frozenset(
    (
        *("64", "32", "86", "amd", "intel", "all", "fat", "modern", "hf", "m1", "m2", "m3", "m4", "latest", "unknown"),
        *("baseline", "pc", "silicon", "lin", "universal", "universal2", "multiarch", "sse2"),
    )
)
#: How name_words.py spells the oldest glibc that a name allows.
GLIBC_MIN = re.compile(r"glibcmin(\d)x(\d{1,2})")
#: Systems and distributions that a version may follow: ``ubuntu2204``, ``macos-14``.
NUMBERED_SYSTEMS = (frozenset(OS_WORDS) | frozenset(DISTRIBUTIONS)) - {"linux", "lin"}
#: Words that may be joined, as in ``linuxarm64`` or ``macuniversal``.
FUSED_HEADS = frozenset(OS_WORDS) - {"lin", "apple", "dos", "bsd", "ios", "bionic"}
FUSED_TAILS = frozenset(ARCH_WORDS) | frozenset(
    ("64", "32", "64bit", "32bit", "x86", "intel", "musl", "gnu", "glibc", "static", "eabihf", "universal", "silicon")
)
_LONGEST_FUSED = 24
_NUMBERED = re.compile(r"([a-z]+?)(\d{1,4})")
#: An unknown word that begins like an architecture and continues with a number is an unknown architecture.
_LIKE_AN_ARCH = re.compile(r"(?:armv?|aarch|mips|ppc|powerpc|rv|riscv|sparcv?|loong|loongarch|s390)\d[a-z0-9]*")
_ENTERPRISE_LINUX = re.compile(r"(?:el|rhel|centos|rocky|alma)(\d{1,2})")
#: A general system beside a special one means the special one.
_SPECIAL_SYSTEMS: tuple[tuple[str, frozenset[str]], ...] = (
    ("linux", frozenset({"android", "openwrt", "openharmony"})),
    ("macos", frozenset({"ios", "tvos", "watchos", "visionos", "maccatalyst"})),
    ("windows", frozenset({"cygwin"})),
)
#: What WebAssembly is built for: no system starts it by itself.
WASM = frozenset(("wasi", "wasip1", "wasip2", "wasip3", "emscripten", "wasm", "wasm32", "wasm64"))
#: The processors that Go's GOARCH names, of those that Windows has.
GO_ARCHES = frozenset(("386", "amd64", "arm", "arm64"))
_METADATA_SYSTEMS = {word: fact["os"] for word, fact in OS_WORDS.items()} | {"win32": "windows"}
_METADATA_ARCHES = {word: fact["arch"] for word, fact in ARCH_WORDS.items()} | {"x86_64": "x86_64"}


def unfused(word: str) -> list[str]:
    """Split ``linuxarm64`` into its two words, and ``ubuntu2204`` into word and number; return any other word as it is.

    A word that can only be an architecture (``armv8l``, ``mips32r2``) becomes OTHER_ARCH.
    """
    if not word or word in WORDS or len(word) > _LONGEST_FUSED:
        return [word] if word else []
    enterprise = _ENTERPRISE_LINUX.fullmatch(word)
    if enterprise:
        return ["rhel", enterprise.group(1)]
    numbered = _NUMBERED.fullmatch(word)
    if numbered and (numbered.group(1) in OS_WORDS or numbered.group(1) in DISTRIBUTIONS):
        return [numbered.group(1), numbered.group(2)]
    for cut in range(len(word) - 2, 1, -1):
        head, tail = word[:cut], word[cut:]
        if head in FUSED_HEADS:
            parts = unfused(tail)
            if all(part in FUSED_TAILS or part in FUSED_HEADS for part in parts):
                return [head, *parts]
        if head in ARCH_WORDS and tail in FUSED_HEADS:
            return [head, tail]
    return [OTHER_ARCH] if _LIKE_AN_ARCH.fullmatch(word) else [word]


def is_strong(word: str) -> bool:
    """Tell whether a word names a system or an architecture."""
    return bool(WORDS.get(word, {}).keys() & {"os", "arch", "soft", "doubtful"})


def contradict(first: Sequence[str], second: Sequence[str]) -> bool:
    """Tell whether the words *first* and the words *second* name different systems, or different architectures."""
    one, other = facts_of(first), facts_of(second)
    return any(one.get(key, other.get(key)) != other.get(key, one.get(key)) for key in ("os", "arch"))


def facts_of(said: Sequence[str], of_suffix: str | None = None) -> _Facts:
    """Return what the words of a platform say together.

    *of_suffix* is the system that the file's ending implies. It does not count if words say system and architecture:
    Maven's files end in ``.exe`` for every system.
    """
    facts: _Facts = {}
    for index, word in enumerate(said):
        minimum = GLIBC_MIN.fullmatch(word)
        if minimum:
            facts["libc_min"] = f"{minimum.group(1)}.{minimum.group(2)}"
        for key, value in WORDS.get(word, {}).items():
            number = "".join(said[index + 1 : index + 2])
            facts[key] = f"{value}{number:0>4}" if key == "distribution" and number.isdigit() else value
    systems, arches = _all_of("os", said, WORDS), _all_of("arch", said, WORDS)
    if of_suffix and not (systems and arches):
        systems.add(of_suffix)
    if "distribution" in facts and "bionic" in said:
        systems.discard("android")  # a name of Ubuntu, not of a libc
    if systems:
        facts["os"] = _one_system(systems)
    if len(arches) > 1:
        facts["arch"] = "mixed"
        facts["archs"] = " ".join(sorted(arches))
    libcs = _all_of("libc", said, OTHER_WORDS)
    if libcs:  # a word for the libc outranks the libc of a distribution
        facts["libc"] = "static" if "static" in libcs else libcs.pop() if len(libcs) == 1 else "mixed"
    return facts


def _all_of(key: str, said: Sequence[str], table: Mapping[str, _Facts]) -> set[str]:
    return {table[word][key] for word in said if key in table.get(word, {})}


def _one_system(systems: set[str]) -> str:
    """Return the one system that several words mean (``linux`` and ``android``: Android), or ``mixed``."""
    for general, special in _SPECIAL_SYSTEMS:
        if systems & special:
            systems = systems - {general}
    return systems.pop() if len(systems) == 1 else "mixed"


def with_metadata(facts: _Facts, platform: Mapping[str, str]) -> _Facts:
    """Return *facts* with npm's fields, which outrank the name. Fields with several or excluded values do not count."""
    told = {key: str(value).strip().lower() for key, value in platform.items()}
    system = _METADATA_SYSTEMS.get(told.get("os", ""))
    arch = _METADATA_ARCHES.get(told.get("cpu", ""))
    if system:
        facts = {**facts, "os": system}
    if arch == "powerpc64" and facts.get("os") == "linux":
        arch = "powerpc64le"  # Node has one word for both byte orders, but is built only for this one on Linux
    if arch and arch != facts.get("arch"):
        facts = {key: value for key, value in facts.items() if key not in ("cpu", "abi", "archs", "universal")}
        facts["arch"] = arch
    if told.get("libc") in ("glibc", "musl"):
        facts = {**facts, "libc": told["libc"]}
    return facts


def as_label(facts: Mapping[str, str]) -> Label:
    """Return the label that the words make. The system decides some of it: ``x86`` on macOS is x86_64.

    An architecture outranks a word for all of them: ``terraformer-all-darwin-arm64`` has all *providers*.
    """
    system, arch, cpu, abi = facts.get("os"), facts.get("arch"), facts.get("cpu"), facts.get("abi")
    libc = facts.get("libc") if system in (None, "linux") else None
    soft = facts.get("soft") or facts.get("doubtful")
    if system == "macos":
        if facts.get("archs") or ("universal" in facts and not arch):
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
