# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the files that contributors' programs and forges read say what the gates and the Makefile say?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).parents[3]
WORKFLOWS = sorted([*(TOP / ".github/workflows").glob("*.yml"), *(TOP / "docs/ci/github").glob("*.yml")])


def read(path: str) -> Any:
    return yaml.safe_load((TOP / path).read_text(encoding="utf-8"))


def test_hooks_have_the_versions_of_the_gates() -> None:
    gates = (TOP / "tests/gate/requirements.txt").read_text().splitlines()
    hooks = [hook for repo in read(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    pinned = [text for hook in hooks for text in hook.get("additional_dependencies", [])]
    assert pinned
    assert [text for text in pinned if text not in gates] == []


def test_workflow_runs_the_two_commands_of_the_readme_and_nothing_else() -> None:
    jobs = read(".github/workflows/test.yml")["jobs"].values()
    commands = {step["run"] for job in jobs for step in job["steps"] if "run" in step}
    told = re.findall(r"^\$ (make \w+) +#", (TOP / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands == set(told) == {"make quickstart", "make test"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_pins_the_actions_of_others_and_bounds_its_time(path: Path) -> None:
    """A tag can be moved to other code; a commit cannot."""
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []
    document = yaml.safe_load(text)
    assert "permissions" in document
    assert [name for name, job in document["jobs"].items() if "timeout-minutes" not in job] == []


def test_every_form_for_issues_asks_for_something_and_leads_security_elsewhere() -> None:
    forms = [path for path in sorted((TOP / ".github/ISSUE_TEMPLATE").glob("*.yml")) if path.stem != "config"]
    assert len(forms) >= 3
    for path in forms:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))["body"]
        assert any(field.get("validations", {}).get("required") for field in fields), path.name
    assert "SECURITY.md" in (TOP / ".github/ISSUE_TEMPLATE/bug.yml").read_text(encoding="utf-8")
