# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the pages that antsibull-docs writes does not hold here, or does not fit the site? Text → text; pure.

They say that the collection can be had from Galaxy, and link to a repository that it does not have yet. The side bar
has the contents of a page already, and room for short names only.
"""

from __future__ import annotations

import re

TITLE = "Modules, plugins and roles"
#: What must not be on any page while the collection has no public home.
UNTRUE = re.compile(r"galaxy\.ansible\.com|ansible\\?-galaxy collection install pinned|example\.org/pinned/release")
_FROM_GALAXY = re.compile(
    r"^    This \w+(?: \w+)? is part of the `.*?(?=^    To use it in a playbook)", re.MULTILINE | re.DOTALL
)
_CONTENTS = re.compile(r"^\.\. contents::\n(?:   .*\n)*\n", re.MULTILINE)
_LINKS = re.compile(r"^\.\. ansible-links::\n\n(?:  .*\n)*", re.MULTILINE)
_OLD_TITLE = re.compile(r"^Pinned\.Release\n=+$", re.MULTILINE)
_IN_SIDE_BAR = re.compile(r"^    (\w+)_(module|filter|lookup|role)$", re.MULTILINE)


def on_the_site(text: str) -> str:
    """Return the *text* of a page as it can stand on the site. Raises ValueError: it says what is not true."""
    for what in (_FROM_GALAXY, _CONTENTS, _LINKS):
        text = what.sub("", text)
    text = text.replace(" -- ", " \u2013 ")  # as smart quotes would, which would also take the hyphens of --check
    text = _OLD_TITLE.sub(f"{TITLE}\n{'=' * len(TITLE)}", text)
    text = _IN_SIDE_BAR.sub(r"    \1 (\2) <\1_\2>", text)
    if found := UNTRUE.search(text):
        raise ValueError(f"a page of antsibull-docs still has {found[0]}, and there is no such place")
    return text
