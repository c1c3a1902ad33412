# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a failure tell the user what to do? The one error of this collection, on the controller and on hosts."""

import typing as t


class ReleaseError(Exception):
    """A failure that a user can act on. The edge that catches it adds the tool and the host.

    *is_unanswered* tells whether a machine asked in vain, and got no answer: another one may have a way.
    """

    is_unanswered = False

    def __init__(
        self,
        what: str,
        expected: t.Optional[str] = None,
        found: t.Optional[str] = None,
        fix: t.Optional[str] = None,
    ) -> None:
        """Take *what* went wrong, what was *expected*, what was *found*, and what would *fix* it."""
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.found = found
        self.fix = fix

    def __str__(self) -> str:
        parts = [self.what]
        if self.expected is not None:
            parts.append("expected: {0}".format(self.expected))
        if self.found:
            parts.append("found: {0}".format(self.found))
        if self.fix is not None:
            parts.append("to fix: {0}".format(self.fix))
        return "\n  ".join(parts)

    def about(self, subject: str) -> "ReleaseError":
        """Return this error with the *subject* in front that whoever raised it could not know: a tool, a file."""
        if self.what.startswith((subject + ":", subject + " ")):
            return self
        about_it = ReleaseError("{0}: {1}".format(subject, self.what), self.expected, self.found, self.fix)
        about_it.is_unanswered = self.is_unanswered
        return about_it

    def as_dict(self) -> t.Dict[str, t.Optional[str]]:
        """Return the parts by name, for a JSON result."""
        return {"what": self.what, "expected": self.expected, "found": self.found, "fix": self.fix}


class StaleError(ReleaseError):
    """The host is no longer as it was asked: ask it again and plan anew."""
