# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases are passed over because of the floors of platforms, and what are people told? Pure; controller.

What a release needs is only known from its bytes. So the newest is opened, then the one before, and so on. What names
say of glibc and musl (PEP 600, PEP 656) spares downloads only after bytes of the same tool have confirmed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import floor
from ansible_collections.pinned.release.plugins.plugin_utils._lock import constraint
from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool
from ansible_collections.pinned.release.plugins.plugin_utils._lock.name_check import serves
from ansible_collections.pinned.release.plugins.plugin_utils._naming import matching
from ansible_collections.pinned.release.plugins.plugin_utils._naming.builds import Proposal
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import Label
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import order_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Architecture, Libc, OperatingSystem

#: So many releases of one tool are downloaded in one run, then the lock fails.
MOST_OPENED = 10
#: Of releases that were passed over, so many are shown.
MOST_SHOWN = 5
#: So many older releases are searched, by the names of their assets only, for one to suggest.
MOST_SEARCHED = 50
#: Stands for what a name does not say, and a floor does not ask.
_UNSAID = "unsaid"


@dataclass(frozen=True)
class Passed:
    """A release that is passed over, because a platform's floor is too low for it.

    least      what its least demanding build needs, for each platform that it does not serve
    lacking    platforms that it has no program for, whatever their floor
    foretold   the platforms of *least* of which names had said the same before its bytes did
    is_opened  whether its assets were downloaded
    """

    version: str
    least: Mapping[Platform, Requirement] = field(default_factory=dict)
    lacking: tuple[Platform, ...] = ()
    foretold: frozenset[Platform] = frozenset()
    is_opened: bool = True

    @property
    def why(self) -> str:
        """Why it was passed over: ``needs glibc 2.39``."""
        if self.lacking:
            return f"has no program for {_listed(self.lacking)}"
        needs = {platform: floor.needed(requirement) for platform, requirement in self.least.items()}
        if len(set(needs.values())) == 1:
            return f"needs {next(iter(needs.values()))}"
        return "needs " + " and ".join(f"{need} for {platform}" for platform, need in needs.items())


class BelowFloorError(ReleaseError):
    """A release serves its platforms, but not all hosts that their floors describe. *least* is as in Passed."""

    def __init__(self, wanted: WantedTool, version: str, least: Mapping[Platform, Requirement]) -> None:
        """Take the tool that is *wanted*, the *version* that does not serve it, and what that needs at *least*."""
        self.passed = Passed(version, least)
        enough = _listed(replace(one, floor=floor.floor_of(needed)) for one, needed in least.items())
        super().__init__(
            f"{wanted.name} {version} {self.passed.why}, so it does not serve {_listed(least)}",
            fix=f"if all of these hosts have what it needs, write {enough} in place of {_listed(least)}",
        )


def refuse_below(wanted: WantedTool, version: str, found: Sequence[Requirement]) -> None:
    """Raise BelowFloorError if what was *found* in a release serves all platforms of *wanted*, but for their floors."""
    unserved = [one for one in wanted.platforms if not any(serves(needed, one) for needed in found)]
    of_base = {one: [needed for needed in found if serves(needed, one.base)] for one in unserved}
    if unserved and all(of_base.values()):
        least = {one: min(builds, key=lambda build: _distance(build, one)) for one, builds in of_base.items()}
        raise BelowFloorError(wanted, version, least)


def _distance(requirement: Requirement, platform: Platform) -> tuple[object, ...]:
    is_of_the_libc = platform.floor is not None and requirement.libc == platform.floor.libc
    return (not is_of_the_libc, *floor.order(requirement))


def passed_over(error: BelowFloorError, proposals: Sequence[Proposal]) -> Passed:
    """Return the release of the *error*, whose assets were *proposals*, as one that is passed over."""
    foretold = {platform for platform in error.passed.least if _said_too_much(proposals, platform)}
    return replace(error.passed, foretold=frozenset(foretold))


def passed_by_name(passed: Sequence[Passed], version: str, proposals: Sequence[Proposal]) -> Passed | None:
    """Return the release as one that is passed over, unopened, by what the names of its *proposals* say; else None.

    That only counts for platforms of which the names of a release that was *passed*, and opened, said it rightly.
    """
    trusted = dict.fromkeys(platform for one in passed for platform in sorted(one.foretold, key=str))
    told = {platform: _said_too_much(proposals, platform) for platform in trusted}
    least = {platform: min(said, key=lambda one: _distance(one, platform)) for platform, said in told.items() if said}
    return Passed(version, least, is_opened=False) if least else None


def _said_too_much(proposals: Sequence[Proposal], platform: Platform) -> list[Requirement]:
    """Return what the names of the builds for *platform* say, if all of them say more than its floor; else nothing."""
    labels = [proposal.label for proposal in proposals if _may_be_for(proposal.label, platform)]
    said = [_as_said(label, platform) for label in labels]
    is_too_much = all(label.libc in ("glibc", "musl") for label in labels) and not any(
        floor.is_met(one, platform.floor) for one in said
    )
    return said if is_too_much else []


def _may_be_for(label: Label, platform: Platform) -> bool:
    archs = label.archs or (label.arch,)
    return label.os in (None, platform.os) and (None in archs or platform.arch in archs)


def _as_said(label: Label, platform: Platform) -> Requirement:
    """Return what a program for *platform* needs by its *label*. One that says no libc is taken for a static one."""
    libc: Libc = "glibc" if label.libc == "glibc" else "musl" if label.libc == "musl" else "static"
    return Requirement(
        cast(OperatingSystem, platform.os),
        cast(Architecture, platform.arch),
        abi=label.abi or _UNSAID,
        libc=libc,
        libc_min=label.libc_min,
        interpreter=_UNSAID,
    )


def is_enough(passed: Sequence[Passed]) -> bool:
    """Return whether so many releases were opened that no other is."""
    return sum(one.is_opened for one in passed) >= MOST_OPENED


def left(releases: Sequence[Release], passed: Sequence[Passed]) -> list[Release]:
    """Return those of *releases* that were not *passed* over."""
    versions = {one.version for one in passed}
    return [release for release in releases if release.version not in versions]


def note(passed: Sequence[Passed], version: str) -> str:
    """Return what to tell of the choice of *version*: ``15.1.0 needs glibc 2.39; 14.1.0 is taken for …``."""
    return f"{_reasons(passed)}; {version} is taken for {_listed(_unserved(passed))}"


def refusal(wanted: WantedTool, passed: Sequence[Passed], releases: Sequence[Release]) -> ReleaseError:
    """Return the error for a tool of which all releases that the manifest allows, or as many as may be, were *passed*.

    It names what would change that: older ones of its *releases*, if there are such, and the lowest floor that is met.
    """
    stop = f"; no more than {MOST_OPENED} releases are downloaded to find one" if is_enough(passed) else ""
    fixes = [*_older(wanted, passed, releases), *_nearest_floor(passed)]
    return ReleaseError(
        f"{wanted.name}: no release that the manifest allows serves {_listed(_unserved(passed))}",
        expected="programs that run on all hosts of that kind",
        found=_reasons(passed) + stop,
        fix="; or ".join(fixes) or None,
    )


def refusal_of_one(wanted: WantedTool, error: BelowFloorError, releases: Sequence[Release]) -> ReleaseError:
    """Return the *error* for a tool of which the manifest names one version, with the nearest of *releases* instead.

    None of them is downloaded for that: the names of assets suggest it, and where they say nothing of libcs, a
    constraint for which lock would look for it.
    """
    version = error.passed.version
    nearest = _nearest_by_name(wanted, version, releases, list(error.passed.least))
    if nearest:
        fix = f'take an older release, whose names say that it does: version: "{nearest}"; or '
    elif _before(version):
        fix = f'let lock take the newest that does: version: "{_before(version)}"; or '
    else:
        fix = "take an older release; or "
    return ReleaseError(error.what, error.expected, error.found, fix + str(error.fix))


def _nearest_by_name(
    wanted: WantedTool, version: str, releases: Sequence[Release], platforms: Sequence[Platform]
) -> str | None:
    older = [one for one in releases if order_of(one.version) < order_of(version)]
    usable = [one for one in older if not (one.is_prerelease or one.is_yanked or one.is_partial)]
    newest = sorted(usable, key=lambda one: order_of(one.version), reverse=True)[:MOST_SEARCHED]
    serving = (one for one in newest if all(_serves_by_name(wanted, one, platform) for platform in platforms))
    return next((one.version for one in serving), None)


def _serves_by_name(wanted: WantedTool, release: Release, platform: Platform) -> bool:
    """Return whether a name of the *release* says a libc that serves the *platform*. For musl, most are static."""
    try:
        found = matching.propose(
            release.assets, wanted.name, release.version, platform, pattern=wanted.asset, asked=wanted.platforms
        )
    except ReleaseError:
        return False
    labels = [one.label for one in found if one.label.libc in ("static", "musl") or one.label.libc_min]
    return any(label.libc == "musl" or floor.is_met(_as_said(label, platform), platform.floor) for label in labels)


def _older(wanted: WantedTool, passed: Sequence[Passed], releases: Sequence[Release]) -> Iterator[str]:
    """Yield a fix where there are older *releases*: with the newest of them whose names say that it would do."""
    oldest = min((one.version for one in passed), key=order_of)
    if any(order_of(one.version) < order_of(oldest) for one in releases):
        line = _before(oldest)
        nearest = _nearest_by_name(wanted, oldest, releases, _unserved(passed))
        yield (
            "allow older releases"
            + (f': version: "{line}"' if line else "")
            + (f" (by its names, {nearest} is the newest that does)" if nearest else "")
        )


def _nearest_floor(passed: Sequence[Passed]) -> Iterator[str]:
    """Yield a fix: the release that asks the least more than the floors, and the floors that it asks."""
    opened = [one for one in passed if one.least]
    unserved = _unserved(passed)
    if not opened:
        return
    nearest = min(
        opened,
        key=lambda one: (
            len(one.least),
            [_distance(one.least[platform], platform) for platform in unserved if platform in one.least],
        ),
    )
    enough = _listed(replace(one, floor=floor.floor_of(needed)) for one, needed in nearest.least.items())
    yield (
        f"take the nearest, {nearest.version}, if all of these hosts have what it needs: "
        f"write {enough} in place of {_listed(nearest.least)}"
    )


def _unserved(passed: Sequence[Passed]) -> list[Platform]:
    return list(dict.fromkeys(platform for one in passed for platform in (*one.least, *one.lacking)))


def _before(version: str) -> str | None:
    """Return the constraint for what is older than *version*; None for a version that PEP 440 does not know."""
    return constraint.constraint_of(f"<{version.removeprefix('v')}")


def _reasons(passed: Sequence[Passed]) -> str:
    return listed((f"{one.version} {one.why}" for one in passed), MOST_SHOWN)


def _listed(platforms: Iterable[Platform]) -> str:
    return listed(dict.fromkeys(map(str, platforms)))
