# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do our pages, and the reference of every plugin and role, become one web site? build.py FOLDER.

FOLDER/source gets our Markdown, pages made of the playbooks and schemas, and what antsibull-docs makes of the plugins
and roles of the collection that Ansible finds; Sphinx makes FOLDER/build/html of them. A warning of Sphinx is an error.
Runs in an environment with what requirements.txt beside this file names.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pages
import playbook_page
import plugin_page
import schema_page

TOP = Path(__file__).resolve().parents[2]
DOCS = TOP / "docs"
#: What the reference of plugins links to in Ansible's own documentation; building asks no server for it.
ANSIBLE_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_collections.ansible.builtin.get_url_module": "collections/ansible/builtin/get_url_module.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
SCHEMAS = [path.name.removesuffix(".schema.json") for path in DOCS.glob("schema/*.schema.json")]


def main(site: Path) -> None:
    """Build the site in the folder *site*."""
    source = site / "source"
    shutil.rmtree(site / "build", ignore_errors=True)
    shutil.rmtree(source, ignore_errors=True)
    copy_pages(source)
    write_reference(source / "reference")
    make_reference_of_plugins(source / "reference/collection")
    (site / "ansible.inv").write_bytes(inventory(ANSIBLE_PAGES))
    command = ["-b", "html", "-c", str(DOCS / "site"), "-W", "--keep-going", "--nitpicky", "--color"]
    run([sys.executable, "-m", "sphinx", *command, str(source), str(site / "build/html")])


def copy_pages(source: Path) -> None:
    """Copy our pages, and what they show or offer, to *source*."""
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("site", "docsite", "quickstart", "__pycache__"))
    for path in source.rglob("*.md"):
        text = pages.on_the_site(path.read_text(encoding="utf-8"), len(path.relative_to(source).parts))
        path.write_text(text, encoding="utf-8")
    for index in list(source.rglob("README.md")):
        index.rename(index.with_name("index.md"))
    with (source / "index.md").open("a", encoding="utf-8") as front:
        facts = [path.stem for path in DOCS.glob("*.md") if path.stem != "README"]
        front.write(pages.side_bar((DOCS / "guide/README.md").read_text(encoding="utf-8"), facts, SCHEMAS))


def write_reference(folder: Path) -> None:
    """Write the pages that are made of the playbooks and of the schemas."""
    folder.mkdir()
    (folder / "playbooks.md").write_text(playbook_page.page(TOP / "playbooks"), encoding="utf-8")
    for schema, name in pages.schema_pages(SCHEMAS).items():
        text = (DOCS / f"schema/{schema}.schema.json").read_text(encoding="utf-8")
        (folder / f"{name}.md").write_text(schema_page.page(json.loads(text)), encoding="utf-8")


def make_reference_of_plugins(folder: Path) -> None:
    """Let antsibull-docs write the pages of every plugin and role."""
    folder.mkdir()
    command = "collection --use-current --squash-hierarchy --fail-on-error --dest-dir"
    run(["antsibull-docs", *command.split(), str(folder), "pinned.release"])
    for path in folder.rglob("*.rst"):
        path.write_text(plugin_page.on_the_site(path.read_text(encoding="utf-8")), encoding="utf-8")


def inventory(labels: dict[str, str]) -> bytes:
    """Return what Sphinx reads to link *labels*, each with the page it is on, of other documentation."""
    anchors = str.maketrans("_.", "--")
    lines = [f"{label} std:label -1 {page}#{label.translate(anchors)} -\n" for label, page in labels.items()]
    head = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: \n# Compressed with zlib below.\n"
    return head.encode() + zlib.compress("".join(lines).encode())


def run(command: list[str]) -> None:
    """Run *command*; end with its status unless it succeeds."""
    finished = subprocess.run(command, check=False)
    if finished.returncode:
        sys.exit(finished.returncode)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
