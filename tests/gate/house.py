# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is the code laid out: which packages are there, what does each answer, and who imports whom?

``make map`` prints the map of packages and files and writes it into CONTRIBUTING.md; a unit test compares the two, and
keeps the order of the layers. Standard library only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
MAP_BEGINS, MAP_ENDS = "<!-- The map: written by `make map`. -->", "<!-- The map ends. -->"

#: What users call. Nothing imports these.
ENTRIES = ("action", "filter", "lookup", "doc_fragments", "modules")
#: Everything else, from the top down: each imports only what stands below it, and files of its own package.
LAYERS = (
    "plugin_utils.task_options",
    "plugin_utils.telling",
    "plugin_utils.verb",
    "plugin_utils.carry",
    "plugin_utils._playbook",
    "plugin_utils._audit",
    "plugin_utils._bundle",
    "plugin_utils._mirror",
    "plugin_utils._lock",
    "plugin_utils._catalogue",
    "plugin_utils._rollout",
    "plugin_utils._asset",
    "plugin_utils._choice",
    "plugin_utils._host",
    "plugin_utils._publisher",
    "plugin_utils._naming",
    "plugin_utils._signature",
    "plugin_utils._program",
    "plugin_utils._values",
    "module_utils",
)

#: Who imports whom, by module name below ``plugins``: ``plugin_utils._lock.manifest``.
Imports = Mapping[str, Set[str]]


def imports_of(plugins: Path = PLUGINS) -> Imports:
    """Return which files below *plugins* each of them imports, wherever in the file the import stands."""
    files = {_module_name(path, plugins): path for path in sorted(plugins.rglob("*.py"))}
    return {
        name: {_file_of(target, files) for target in _imported_names(path, name) if _file_of(target, files)}
        for name, path in files.items()
    }


def misplaced(imports: Imports) -> list[str]:
    """Return a line for each import that does not lead downwards, and for each module that no layer holds."""
    lines = [f"{module} is in no layer" for module in imports if _layer(module) not in ENTRIES + LAYERS]
    for module, imported in imports.items():
        lines += [f"{module} imports {other}" for other in sorted(imported) if not _is_allowed(module, other)]
    return lines


def circle(imports: Imports) -> list[str]:
    """Return the modules of one circle of imports, the first one again at the end; empty if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def between_packages(imports: Imports) -> Imports:
    """Return which packages import which others: *imports* of files, summed up by layer."""
    packages: dict[str, set[str]] = {_layer(module): set() for module in imports}
    for module, imported in imports.items():
        packages[_layer(module)] |= {_layer(other) for other in imported} - {_layer(module)}
    return packages


def question(path: Path) -> str:
    """Return the first line of the docstring of *path*, which is the question that the file answers."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def map_of_files() -> str:
    """Return the map as a Markdown table: every package, then its files, in the order of the layers."""
    lines = ["| package, file | what it answers |", "| --- | --- |"]
    for layer in LAYERS:
        place = PLUGINS / layer.replace(".", "/")
        if place.is_dir():
            lines += _rows(place)
        elif place.with_suffix(".py").exists():
            lines.append(_row(place.with_suffix(".py")))
    return "\n".join(lines)


def with_map(text: str) -> str:
    """Return *text*, that of CONTRIBUTING.md, with the map as it is now. Raises ValueError: it lacks the marks."""
    before, _mark, rest = text.partition(MAP_BEGINS)
    _map, mark, after = rest.partition(MAP_ENDS)
    if not mark:
        raise ValueError(f"{CONTRIBUTING.name} has no place for the map: {MAP_BEGINS} … {MAP_ENDS}")
    return f"{before}{MAP_BEGINS}\n{map_of_files()}\n{MAP_ENDS}{after}"


def write_map() -> int:
    """Write the map into CONTRIBUTING.md and print it; return the exit status."""
    CONTRIBUTING.write_text(with_map(CONTRIBUTING.read_text(encoding="utf-8")), encoding="utf-8")
    print(map_of_files())
    return 0


def _rows(package: Path) -> Iterator[str]:
    """Yield the row of *package*, of its files, and then of the packages inside."""
    if (package / "__init__.py").exists():
        yield _row(package)
    yield from (_row(path) for path in sorted(package.glob("*.py")) if path.name != "__init__.py")
    for inner in sorted(path.parent for path in package.glob("*/__init__.py")):
        yield from _rows(inner)


def _row(path: Path) -> str:
    name = path.relative_to(PLUGINS).as_posix().removeprefix("plugin_utils/")
    if path.is_dir():
        return f"| **`{name}/`** | **{question(path / '__init__.py')}** |"
    return f"| `{name}` | {question(path)} |"


def _is_allowed(module: str, other: str) -> bool:
    """Tell whether *module* may import *other*. What runs on hosts imports only what else runs there."""
    upper, lower = _layer(module), _layer(other)
    if lower not in LAYERS or upper == "modules":
        return lower == "module_utils"
    return upper in ENTRIES or upper == lower or (upper in LAYERS and LAYERS.index(upper) < LAYERS.index(lower))


def _layer(module: str) -> str:
    """Return the layer that *module* is of: ``plugin_utils._lock`` of ``plugin_utils._lock.manifest``."""
    first, _dot, rest = module.partition(".")
    return f"{first}.{rest.partition('.')[0]}" if first == "plugin_utils" else first


def _module_name(path: Path, plugins: Path) -> str:
    parts = path.relative_to(plugins).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported_names(path: Path, module: str) -> Iterator[str]:
    """Yield the dotted names below ``plugins`` that *path*, which is *module*, imports from."""
    prefix = "ansible_collections.pinned.release.plugins."
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{_base_of(node, path, module)}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix(prefix) for name in names if name.startswith(prefix))


def _base_of(node: ast.ImportFrom, path: Path, module: str) -> str:
    """Return the full name of the module that *node* imports from, which a relative import spells by dots."""
    if not node.level:
        return node.module or ""
    parts = f"ansible_collections.pinned.release.plugins.{module}".split(".")
    levels = node.level - (path.name == "__init__.py")
    return ".".join([*parts[: len(parts) - levels], *filter(None, [node.module])])


def _file_of(name: str, files: Mapping[str, Path]) -> str:
    """Return the file that *name* is, or is defined in; empty if there is none such."""
    return next((known for known in (name, name.rpartition(".")[0]) if known in files), "")
