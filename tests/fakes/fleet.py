# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of any size with every kind of status, made of nothing but numbers: the same arguments give the same fleet.

``simulated_fleet(hosts=1000, tools=50, seed=1)``. The names of the tools are real, so that pages read as they will;
versions, digests and signers are not.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import (
    ComparedLock,
    Finding,
    Fleet,
    FleetHost,
    HostStatus,
    HostTool,
    KnownAsset,
    LogHead,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import LISTING, Claim, Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity

NAMES = """
    age bat biome bottom btop buf caddy cargo-nextest consul cosign delta direnv dive dust etcd eza fd flux fzf gh
    gitleaks glow grafana grype helm helix hyperfine jq just k9s kubectl lazygit lego loki minisign mise nats node
    prometheus rclone restic ripgrep ruff sops starship step syft tokei trivy uv vault vector xh yq zellij zoxide
""".split()
OWNERS = ("platform", "delivery", "observability", "security")
PURPOSES = {
    "caddy": "Terminates TLS on every edge host",
    "restic": "Nightly encrypted backups",
    "uv": "Installs the Python environments of services",
    "jq": "Reads JSON in operations scripts",
}
ASKED = "2026-11-29T18:33:02Z"
FULL = "2026-11-29T18:33:01Z"


@dataclass(frozen=True)
class _Platform:
    """A kind of host: its words, and the target of the assets that run there, with the reason."""

    words: Mapping[str, str]
    target: str
    reason: str
    share: int


PLATFORMS = (
    _Platform(
        {
            "platform": "linux/x86_64/glibc2.36",
            "libc": "glibc",
            "libc_version": "2.36",
            "distribution": "Debian GNU/Linux 12 (bookworm)",
            "cpu": "x86-64-v3",
        },
        "x86_64-unknown-linux-gnu",
        "gnu build needs glibc 2.17, host has 2.36",
        60,
    ),
    _Platform(
        {
            "platform": "linux/x86_64/musl1.2.5",
            "libc": "musl",
            "libc_version": "1.2.5",
            "distribution": "Alpine Linux v3.22",
            "cpu": "x86-64-v2",
        },
        "x86_64-unknown-linux-musl",
        "static x86_64 build, needs no libc",
        12,
    ),
    _Platform(
        {
            "platform": "linux/aarch64/glibc2.34",
            "libc": "glibc",
            "libc_version": "2.34",
            "distribution": "Rocky Linux 9.6 (Blue Onyx)",
            "cpu": "armv8-a",
        },
        "aarch64-unknown-linux-gnu",
        "gnu build needs glibc 2.17, host has 2.34",
        20,
    ),
    _Platform(
        {"platform": "freebsd/x86_64", "distribution": "FreeBSD 14.3-RELEASE", "cpu": "x86-64-v2"},
        "x86_64-unknown-freebsd",
        "needs FreeBSD 13, host has 14.3",
        5,
    ),
    _Platform(
        {
            "platform": "linux/x86_64/glibc2.17",
            "libc": "glibc",
            "libc_version": "2.17",
            "distribution": "CentOS Linux 7 (Core)",
            "cpu": "x86-64-v2",
        },
        "x86_64-unknown-linux-gnu",
        "gnu build needs glibc 2.17, host has 2.17",
        3,
    ),
)
#: What differs on a host, and how often beside the others.
FAULTS = {"drifted": 4, "deviates": 4, "missing": 3, "refused": 2, "unpinned": 2}
#: Of 1,000 hosts, so many are of each status; the others are as pinned.
SHARES: Mapping[HostStatus, int] = {"unreachable": 12, "failed": 6, "not_asked": 8, "never_converged": 9, "differs": 55}
WHY = {
    "unreachable": (
        "ssh: connect to host {name} port 22: Connection timed out",
        "ssh: Permission denied (publickey)",
    ),
    "failed": (
        "no Python was found on the host",
        "sudo: a password is required",
        "the result is not one of tools_info",
    ),
    "not_asked": ("left out by --limit",),
}
_UNKNOWN_FILE = Finding(
    "added", "store/.cache is not of pinned.release", path="/opt/pinned.release/store/.cache", found="a folder"
)
OLD_LOCK = hashlib.sha256(b"an older lock file").hexdigest()


@dataclass(frozen=True)
class _Product:
    """One tool: its assets in the pinned and in the earlier version, by target."""

    name: str
    version: str
    pinned: Mapping[str, KnownAsset]
    earlier: Mapping[str, KnownAsset] = field(default_factory=dict)


def simulated_fleet(hosts: int = 1000, tools: int = 50, seed: int = 1) -> Fleet:
    """Return a fleet of so many *hosts*, for which so many *tools* are pinned. The same *seed* gives the same fleet."""
    chance = random.Random(seed)
    products = [_product(chance, name) for name in _names(tools)]
    stranger = _asset(chance, "netdata", "2.7.1", PLATFORMS[0].target, Evidence(), is_pinned=False)
    lock = ComparedLock("releases.lock.json", _digest(f"lock of {seed}"), _digest(f"commit of {seed}")[:40])
    made = tuple(
        _host(chance, f"h{number:04}", status, products, stranger, lock)
        for number, status in enumerate(_statuses(chance, hosts), 1)
    )
    known = [stranger, *(asset for one in products for group in (one.pinned, one.earlier) for asset in group.values())]
    named = {sha256 for host in made for tool in host.tools for sha256 in (tool.sha256, tool.wanted_sha256)}
    return Fleet(
        lock=lock,
        asked=ASKED,
        tools={product.name: product.version for product in products},
        assets={asset.sha256: asset for asset in sorted(known, key=_order) if asset.is_pinned or asset.sha256 in named},
        hosts=made,
        about={
            product.name: {"purpose": PURPOSES.get(product.name, ""), "owner": OWNERS[number % len(OWNERS)]}
            for number, product in enumerate(products)
            if number % 3 or product.name in PURPOSES
        },
        log=LogHead(417, _digest(f"log of {seed}")),
    )


def _order(asset: KnownAsset) -> tuple[str, str, str]:
    return asset.tool, asset.version, asset.target


def _names(count: int) -> list[str]:
    spread = [NAMES[number * len(NAMES) // min(count, len(NAMES))] for number in range(min(count, len(NAMES)))]
    return sorted({*spread} | {f"tool{number}" for number in range(len(NAMES), count)})


def _statuses(chance: random.Random, hosts: int) -> list[HostStatus]:
    """Return the status of each host: all kinds where the fleet is large enough to have them, in no order."""
    kinds: list[HostStatus] = [
        status for status, share in SHARES.items() for _number in range(max(1, share * hosts // 1000))
    ][:hosts]
    kinds.extend(["as_pinned"] * (hosts - len(kinds)))
    chance.shuffle(kinds)
    return kinds


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _product(chance: random.Random, name: str) -> _Product:
    """Return the tool *name*: some have no build for every platform."""
    major, minor = chance.randint(0, 15), chance.randint(1, 40)
    pinned, earlier = f"{major}.{minor}.{chance.randint(0, 9)}", f"{major}.{minor - 1}.0"
    targets = sorted({platform.target for platform in PLATFORMS})
    if chance.random() < 0.2:
        targets.remove("x86_64-unknown-freebsd")
    kind = chance.randrange(6)
    return _Product(
        name,
        pinned,
        {target: _asset(chance, name, pinned, target, _evidence(kind, name, pinned, target)) for target in targets},
        {target: _asset(chance, name, earlier, target, Evidence(), is_pinned=False) for target in targets},
    )


def _asset(
    chance: random.Random, tool: str, version: str, target: str, evidence: Evidence, is_pinned: bool = True
) -> KnownAsset:
    name = f"{tool}-{version}-{target}.tar.gz"
    return KnownAsset(
        tool=tool,
        version=version,
        target=target,
        name=name,
        url=f"https://github.com/{tool}/{tool}/releases/download/v{version}/{name}",
        sha256=_digest(name),
        tree_sha256=_digest(f"tree of {name}"),
        source=f"github: {tool}/{tool}",
        purl=f"pkg:github/{tool}/{tool}@v{version}",
        size=chance.randint(400_000, 60_000_000) if is_pinned else None,
        evidence=evidence,
        is_pinned=is_pinned,
        programs={f"bin/{tool}": _digest(f"program of {name}")} if is_pinned else {},
    )


def _evidence(kind: int, tool: str, version: str, target: str) -> Evidence:
    """Return evidence of one of six kinds: none, a digest, a sums file, minisign, GPG, provenance."""
    name = f"{tool}-{version}-{target}.tar.gz"
    sums = f"https://github.com/{tool}/{tool}/releases/download/v{version}/SHA256SUMS"
    listing, file = Claim("sha256", _digest(name), LISTING), Claim("sha256", _digest(name), sums)
    foreign = Claim("sha256", _digest(name), "mise.lock")
    identities = {
        3: ("minisign", Identity.of(key="RWTx5Zr1tiHQLwG9keckT0c45M3AGeHD6IvimQHpOPuc")),
        4: ("gpg", Identity.of(fingerprint=_digest(tool)[:40].upper(), key="keys/publisher.asc")),
        5: ("provenance", Identity.of(repository=f"{tool}/{tool}", workflow="release.yml")),
    }
    if kind not in identities:
        return (Evidence(), Evidence((listing,)), Evidence((listing, file, foreign)))[kind]
    proven, identity = identities[kind]
    signer = {3: "D900E7558DAD3A86", 4: identity.get("fingerprint")}.get(kind) or (
        f"https://github.com/{tool}/{tool}/.github/workflows/release.yml@refs/tags/v{version}"
    )
    signed, digest = (name, _digest(name)) if kind != 4 else ("SHA256SUMS", _digest(sums))
    kept = (("signature", _digest(f"signature of {name}")),)
    return Evidence(
        (listing, file), (Proof(proven, identity, signer, signed, digest, f"{sums}.sig", kept, tag=f"v{version}"),)
    )


def _host(
    chance: random.Random,
    name: str,
    status: HostStatus,
    products: list[_Product],
    stranger: KnownAsset,
    lock: ComparedLock,
) -> FleetHost:
    if status in WHY:
        why = chance.choice(WHY[status]).format(name=name)
        return FleetHost(name, status, why=why, last_full="2026-11-22T02:00:11Z" if chance.random() < 0.5 else "")
    platform = chance.choices(PLATFORMS, [one.share for one in PLATFORMS])[0]
    tools = [_tool(chance, product, platform, lock) for product in products]
    if status == "never_converged":
        tools = [
            HostTool(
                one.tool, "missing" if one.wanted_sha256 else "refused", "", one.wanted_sha256, one.reason, findings=()
            )
            for one in tools
        ]
    if status == "differs":
        tools = _with_faults(chance, tools, products, platform, stranger)
    else:
        tools = [one for one in tools if one.status != "refused" or status == "never_converged"]
    return FleetHost(
        name,
        status,
        asked=ASKED,
        platform=platform.words,
        last_full=FULL if status != "never_converged" else "",
        tools=tuple(sorted(tools, key=lambda one: one.tool)),
        root="/opt/pinned.release",
        bin_dir="/usr/local/bin",
        findings=(_UNKNOWN_FILE,) if status == "differs" and chance.random() < 0.1 else (),
        notes=("bin_dir /usr/local/bin is not on PATH",) if chance.random() < 0.01 else (),
        removed={"bat": "2026-08-02T11:04:00Z"} if chance.random() < 0.02 else {},
    )


def _tool(chance: random.Random, product: _Product, platform: _Platform, lock: ComparedLock) -> HostTool:
    asset = product.pinned.get(platform.target)
    if asset is None:
        return HostTool(product.name, "refused", reason=_no_build(platform))
    return HostTool(
        product.name,
        "as_pinned",
        asset.sha256,
        asset.sha256,
        platform.reason,
        _moment(chance, "2026-11"),
        lock.sha256,
        "hash",
        _moment(chance, "2026-02"),
    )


def _moment(chance: random.Random, month: str) -> str:
    day, hour, minute, second = (chance.randint(1, 28), *(chance.randint(0, most) for most in (23, 59, 59)))
    return f"{month}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"


def _no_build(platform: _Platform) -> str:
    return f"no asset for {platform.words['platform']}: 3 assets are for Linux"


def _with_faults(
    chance: random.Random,
    tools: list[HostTool],
    products: list[_Product],
    platform: _Platform,
    stranger: KnownAsset,
) -> list[HostTool]:
    """Return *tools* with one to three faults among them."""
    for kind in chance.choices(list(FAULTS), list(FAULTS.values()), k=min(len(tools), chance.randint(1, 3))):
        runs = [number for number, one in enumerate(tools) if one.wanted_sha256]
        if kind == "unpinned":
            tools = [one for one in tools if one.tool != stranger.tool]
            tools.append(
                HostTool(stranger.tool, "unpinned", stranger.sha256, installed="2025-03-30T07:45:10Z", verified_by="")
            )
        elif runs:
            at = chance.choice(runs)
            product = next(one for one in products if one.name == tools[at].tool)
            tools[at] = _faulty(chance, kind, tools[at], product, platform)
    return tools


def _faulty(chance: random.Random, kind: str, tool: HostTool, product: _Product, platform: _Platform) -> HostTool:
    name, wanted = tool.tool, tool.wanted_sha256
    program = f"libexec/bin/{name}"
    if kind == "drifted":
        found = _digest(f"planted {name} {chance.random()}")
        pinned = _digest(f"program of {product.pinned[platform.target].name}")
        finding = chance.choice(
            (
                Finding("changed", f"{program} has other bytes than were installed", program, pinned, found),
                Finding("mode", f"{program} has another mode", program, "0755", "4755"),
                Finding("added", f"share/.{name}.swp was not installed", f"share/.{name}.swp"),
                Finding("shadowed", f"/usr/bin/{name} comes earlier on PATH", f"/usr/bin/{name}"),
            )
        )
        return HostTool(name, "drifted", tool.sha256, wanted, tool.reason, tool.installed, tool.lock_sha256, "hash",
                        tool.first_installed, (finding,))  # fmt: skip
    if kind == "deviates":
        earlier = product.earlier[platform.target]
        text = f"{earlier.version} is installed, and the lock file pins {product.version}"
        finding = Finding("version", text, "", product.version, earlier.version, "lock")
        return HostTool(name, "deviates", earlier.sha256, wanted, tool.reason, "2026-05-20T08:00:31Z", OLD_LOCK, "hash",
                        tool.first_installed, (finding,), (f"{earlier.version}-{earlier.sha256[:8]}",))  # fmt: skip
    if kind == "missing":
        return HostTool(
            name, "missing", "", wanted, tool.reason, findings=(Finding("missing", f"{name} is not installed"),)
        )
    return HostTool(name, "refused", reason="the gnu build needs glibc 2.39, host has 2.17")
