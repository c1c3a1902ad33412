# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hard do the property-based tests try? ``quick`` for every change, ``full`` in ``make gate``, ``search`` if asked.

HYPOTHESIS_PROFILE names one. ansible-test names none: there, ``few`` examples show what other Pythons do otherwise.
None has a deadline: the tests ask what is true, not how fast, and a busy machine must fail none. Gates try the same
examples every time, so that only a change can fail them; ``search`` tries new ones.
"""

import os

from hypothesis import HealthCheck, settings

for name, max_examples in (("few", 5), ("quick", 25), ("full", 100), ("search", 1000)):
    settings.register_profile(
        name,
        max_examples=max_examples,
        derandomize=name != "search",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
is_of_ansible_test = "ANSIBLE_CONTROLLER_MIN_PYTHON_VERSION" in os.environ
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "few" if is_of_ansible_test else "quick"))
