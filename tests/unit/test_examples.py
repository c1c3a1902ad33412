# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples in the documentation are taken by the code they speak of: every task's options, every manifest.

Commands are run by the integration target stories; here it is seen that it finds them all.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.pinned.release.plugins.doc_fragments import attributes
from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import manifest
from ansible_collections.pinned.release.plugins.plugin_utils._values.failed_result import failed_result

TOP = Path(__file__).parents[2]
SPECS = {
    "pinned.release.ask": options.ASK,
    "pinned.release.attest": options.ATTEST,
    "pinned.release.lock": options.LOCK,
    "pinned.release.mirror": options.MIRROR,
    "pinned.release.preflight": options.PREFLIGHT,
    "pinned.release.record": options.RECORD,
    "pinned.release.report": options.REPORT,
    "pinned.release.search": options.SEARCH,
    "pinned.release.survey": options.SURVEY,
    "pinned.release.survey_host": options.SURVEY_HOST,
    "pinned.release.target_facts": options.TARGET_FACTS,
    "pinned.release.tell": options.TELL,
    "pinned.release.tools": options.TOOLS,
    "pinned.release.tools_info": options.TOOLS_INFO,
    "pinned.release.unbundle": options.UNBUNDLE,
    "pinned.release.verify_log": options.VERIFY_LOG,
}
MODULES = sorted(SPECS)
PAGES = (
    "README.md",
    "docs/audit.md",
    *sorted(f"docs/guide/{page.name}" for page in (TOP / "docs/guide").glob("*.md")),
    "roles/audit/README.md",
    "roles/mirror/README.md",
    "roles/tools/README.md",
)
#: How commands begin that users of these pages know.
PROGRAM = re.compile(
    r"(?:\$|>|#) |(?:sudo |[A-Z_]+=\S+ )*(?:ansible(?:-\w+)?|curl|git|make|pip3?|podman|python3?|ssh-\w+)(?: |$)"
)
PRINTED = ("", "text")
#: What else a block may be. What is typed is in one of the last two.
KINDS = (*PRINTED, "dockerfile", "ini", "json", "toml", "yaml", "console", "sh")
#: The variables of https://github.com/prometheus-community/ansible/blob/075461c/roles/node_exporter/defaults/main.yml
#: of which the guide may speak.
VARIABLES_OF_OTHERS = {"node_exporter_version", "node_exporter_binary_install_dir", "node_exporter_local_cache_path"}


def at(path: str) -> Any:
    """Return what a file of the tests has, which is in no package."""
    spec = spec_from_file_location(Path(path).stem, TOP / path)
    assert spec
    assert spec.loader
    found = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


COMMANDS = at("tests/integration/targets/stories/files/commands.py")


def module(name: str) -> Any:
    return import_module(f"ansible_collections.pinned.release.plugins.modules.{name.rpartition('.')[2]}")


def blocks(page: str) -> list[Any]:
    """Return the YAML blocks of a page."""
    text = (TOP / page).read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def tasks(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a playbook or a list of tasks."""
    for item in document if isinstance(document, list) else []:
        yield from tasks(item["tasks"]) if "tasks" in item else [item]


def check(task: dict[str, Any]) -> None:
    for name, spec in SPECS.items():
        if name in task:
            assert ArgumentSpecValidator(spec).validate(task[name] or {}).error_messages == []


@pytest.mark.parametrize("name", MODULES)
def test_each_example_of_a_module_has_options_that_it_takes(name: str) -> None:
    examples = yaml.safe_load(module(name).EXAMPLES)
    assert any(name in task for task in examples)
    for task in examples:
        check(task)


@pytest.mark.parametrize("name", MODULES)
def test_each_option_of_a_module_is_documented_as_it_is(name: str) -> None:
    document = yaml.safe_load(module(name).DOCUMENTATION)
    documented = dict(document.get("options", {}))
    for fragment in document["extends_documentation_fragment"]:
        part = fragment.rpartition(".")[2]
        if part != "attributes":
            documented.update(yaml.safe_load(getattr(attributes.ModuleDocFragment, part.upper()))["options"])
    assert set(documented) == set(SPECS[name])
    for option, described in documented.items():
        spec = SPECS[name][option]
        assert described["type"] == spec["type"]
        assert described.get("default") == spec.get("default")
        assert described.get("choices") == spec.get("choices")


@pytest.mark.parametrize("name", MODULES)
def test_each_module_says_where_the_parts_of_a_failure_are(name: str) -> None:
    failed = failed_result(ReleaseError("what", "expected", "found", "fix"))
    documented = yaml.safe_load(module(name).RETURN)
    assert set(documented) & {"error", "diff"} == {"diff"} == set(failed) - {"failed", "changed", "msg"}
    assert list(documented["diff"]["contains"]["error"]["contains"]) == list(failed["diff"]["error"])


@pytest.mark.parametrize("page", PAGES)
def test_each_task_of_a_page_has_options_that_its_module_takes(page: str) -> None:
    for document in blocks(page):
        for task in tasks(document):
            check(task)


def test_each_manifest_of_a_page_is_valid(tmp_path: Path) -> None:
    """What has tools and no platforms is a catalogue: the one that the manifests of its page name."""
    count = 0
    for page in PAGES:
        documents = [block for block in blocks(page) if isinstance(block, dict) and "tools" in block]
        for document in documents:
            if "platforms" not in document:
                (tmp_path / "catalogue.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
        for document in documents:
            if "platforms" in document:
                count += 1
                assert manifest.parse(yaml.safe_dump(document), page, tmp_path).tools
    assert count >= 2


def unlike_its_kind(block: Any) -> list[str]:
    """Return the lines of a block that belong into a block of another kind."""
    lines = block.text.splitlines()
    if block.kind == "console":
        return [line for line in lines if not re.match(r"\$ \S|> |    ", line)]
    return [line for line in lines if block.kind in PRINTED and PROGRAM.match(line)]


@pytest.mark.parametrize("page", COMMANDS.pages(TOP))
def test_what_is_typed_and_what_is_printed_are_in_blocks_of_their_own(page: str) -> None:
    for block in COMMANDS.blocks(TOP / page):
        assert block.kind in KINDS
        assert unlike_its_kind(block) == []


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("text", "$ git add releases.yml\n", ["$ git add releases.yml"]),
        ("", "A=1 ansible-playbook pinned.release.lock\n", ["A=1 ansible-playbook pinned.release.lock"]),
        ("text", "github: not a command\n", []),
        ("console", "$ pip install x\ninstalled\n", ["installed"]),
        ("console", "$ for x in y; do\n>   echo $x\n> done\n$ echo \\\n    z\n", []),
    ],
)
def test_a_command_among_what_is_printed_is_found(kind: str, text: str, found: list[str]) -> None:
    assert unlike_its_kind(COMMANDS.Block(kind, text)) == found


def test_only_commands_that_a_page_has_are_left_out_by_the_target_stories() -> None:
    found = [
        command for page in COMMANDS.pages(TOP) for block in COMMANDS.blocks(TOP / page) for command in block.commands
    ]
    assert len(found) > 80
    for beginning, reason in COMMANDS.NOT_RUN.items():
        assert reason
        assert any(command.startswith(beginning) for command in found), beginning


def test_the_play_with_a_role_of_others_has_variables_of_that_role() -> None:
    [[play]] = [block for block in blocks("docs/guide/migration.md") if isinstance(block, list) and "roles" in block[0]]
    assert set(play["roles"][0]["vars"]) <= VARIABLES_OF_OTHERS
