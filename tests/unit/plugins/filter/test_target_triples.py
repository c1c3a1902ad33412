# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter as playbooks meet it; what it decides is tested in plugin_utils/test_facts.py."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.pinned.release.plugins.filter.target_triples import FilterModule

target_triples = FilterModule().filters()["target_triples"]
FACTS = {"system": "Linux", "machine": "armv7l", "userspace_bits": "32", "os_family": "Debian"}


def test_the_triples_are_a_plain_list() -> None:
    assert target_triples({"system": "Linux", "machine": "x86_64", "userspace_bits": "64", "os_family": "Alpine"}) == [
        "x86_64-unknown-linux-musl"
    ]


def test_details_tell_what_facts_cannot_and_never_guess_armhf() -> None:
    told = target_triples(FACTS, details=True)
    assert told["triples"][0] == "armv7-unknown-linux-musleabi"
    assert "abi" in told["unknown"]


@pytest.mark.parametrize("facts", [None, "x86_64", 5, ["system"]])
def test_what_are_no_facts_is_an_error_of_the_filter(facts: object) -> None:
    with pytest.raises(AnsibleFilterError, match="needs facts"):
        target_triples(facts)


def test_facts_that_were_not_gathered_are_an_error_that_says_how() -> None:
    with pytest.raises(AnsibleFilterError, match="gather_facts: true"):
        target_triples({"discovered_interpreter_python": "/usr/bin/python3"})
