# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the tests notice where code is wrong? Breaks the pure packages of the controller in small ways, and counts it.

cosmic-ray knows the ways: another comparison, another number, a condition turned round, a loop that is never entered.
A random sample of the places is broken, each in one way. Then the tests of the file's package run until one fails:
those of the file's own test file first, then the quickest. Tests that take longer than SLOW_S are left out, so that
the score is a lower bound. A mutant lives only in the memory of a process that ends with it: no file is changed.

Usage: python tests/bench/mutants.py [--seed 1] [--count 150] [--only part/of/a/path]
What survived is in .build/mutants/survivors, as differences. `tests/gate/run.sh mutants` makes the environment.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib.util
import json
import os
import random
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "plugins/plugin_utils"
TESTS = ROOT / "tests/unit/plugins/plugin_utils"
WORK = ROOT / ".build/mutants"
PACKAGES = ("_choice", "_naming", "_program", "_values")
#: Whose quick tests a mutant of a package must face, beside its own: the others are made of values.
USERS = {"_values": ("_choice", "_naming", "_program")}
COLUMNS = ("killed", "stopped", "survived")

#: Processor time of a test from which on it runs after the others, and from which on it is left out. Property-based
#: tests are among the first: hypothesis reads all of the code before them.
QUICK_S, SLOW_S = 0.1, 10.0
#: A mutant is stopped after so many times the processor time that its tests need, and so many seconds more, or with so
#: much memory. That counts as noticed.
MOST_TIMES, MOST_MORE_S = 4, 8
MOST_MEMORY = 2 << 30

#: Names of constants that say how much is read, compared or shown at most.
BOUND = re.compile(r"_?(MAX|MOST|LONGEST)_[A-Z_]+\Z")
CACHE = re.compile(r"(lru_)?cache\b")
#: Operators that are not used, by the end of the name: what Python keeps once, as None, small numbers and closed words,
#: is the same where it is equal, and whether words differ by their place in the alphabet is chance.
UNUSED = (
    *("Eq_Is", "NotEq_IsNot", "Is_Eq", "IsNot_NotEq"),
    *(f"_{equal}_{order}" for equal in ("Eq", "NotEq", "Is", "IsNot") for order in ("Lt", "LtE", "Gt", "GtE")),
)


@dataclass(frozen=True)
class Place:
    """Where code can be broken, and in which *ways*: an operator of cosmic-ray, and its how-manieth occurrence."""

    path: Path
    ways: tuple[tuple[str, int], ...]

    @property
    def package(self) -> str:
        return self.path.relative_to(CODE).parts[0]


@dataclass(frozen=True)
class Mutant:
    """A place that is broken in one way. *source* is the whole file then."""

    place: Place
    operator: str
    source: str

    def difference(self) -> str:
        name = str(self.place.path.relative_to(ROOT))
        before, after = self.place.path.read_text().splitlines(), self.source.splitlines()
        return "\n".join([*difflib.unified_diff(before, after, name, self.operator, n=2, lineterm=""), "", ""])


class Timed:
    """A plugin of pytest: notes the processor time that each test takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        before = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - before
        return result


class Ordered:
    """A plugin of pytest: runs only *tests*, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._ranks = {test: rank for rank, test in enumerate(tests)}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._ranks), key=lambda item: self._ranks[item.nodeid]
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Count how many small faults of the code the tests notice.")
    parser.add_argument("--seed", default=1, type=int, help="which sample")
    parser.add_argument("--count", default=150, type=int, help="how many mutants")
    parser.add_argument("--only", default="", help="break only files whose path has this")
    arguments = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    settings.register_profile(
        "mutants", max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    seconds = {package: timed(package) for package in PACKAGES}
    paths = sorted(path for package in PACKAGES for path in (CODE / package).rglob("*.py"))
    everywhere = [place for path in paths if arguments.only in str(path) for place in places(path)]
    chance = random.Random(arguments.seed)
    chance.shuffle(everywhere)
    outcomes: Counter[tuple[str, str]] = Counter()
    with open(WORK / "survivors", "w") as survivors:
        for mutant in islice(mutants(everywhere, chance), arguments.count):
            outcome = tried(mutant, seconds)
            outcomes[mutant.place.package, outcome] += 1
            if outcome == "survived":
                print(mutant.difference(), file=survivors, flush=True)
    print(
        f"{len(everywhere)} places, sample {arguments.seed}; what survived is in {WORK.relative_to(ROOT)}/survivors\n"
    )
    tell(outcomes)


def timed(package: str) -> dict[str, float]:
    """Return the processor time of each test of *package*; end the program where one fails as things are."""
    noted = WORK / f"{package}.json"

    def run() -> int:
        timer = Timed()
        status = pytest.main(["-q", "-p", "no:cacheprovider", str(TESTS / package)], plugins=[timer])
        noted.write_text(json.dumps(timer.seconds))
        return status

    if in_child(run):
        sys.exit(f"the tests of {package} fail without a mutant, too: see {WORK / 'log'}")
    seconds: dict[str, float] = json.loads(noted.read_text())
    return seconds


def places(path: Path) -> Iterator[Place]:
    """Return where and how the file *path* can be broken; what differs only in the operator is one place."""
    ways: dict[object, list[tuple[str, int]]] = {}
    nodes = list(ast_nodes(get_ast(path.read_text())))
    for name in sorted(plugins.operator_names()):
        if name.endswith(UNUSED) or plugins.get_operator(name).arguments():
            continue
        positions = (position for node in nodes for position in plugins.get_operator(name)().mutation_positions(node))
        for occurrence, position in enumerate(positions):
            ways.setdefault(position, []).append((name, occurrence))
    return (Place(path, tuple(found)) for found in ways.values())


def mutants(everywhere: Sequence[Place], chance: random.Random) -> Iterator[Mutant]:
    """Break one place after another, each in a way that Python accepts and that changes what runs."""
    for place in everywhere:
        before = place.path.read_text()
        for operator, occurrence in chance.sample(place.ways, len(place.ways)):
            source = broken(before, operator, occurrence)
            if what_runs(source) not in ("", what_runs(before)):
                yield Mutant(place, operator, source)
                break


def broken(source: str, operator: str, occurrence: int) -> str:
    """Return *source* broken by an *operator*; as it was where cosmic-ray itself stumbles: ``except (a.B, C)``."""
    try:
        return str(mutate_code(source, plugins.get_operator(operator)(), occurrence))
    except AttributeError:
        return source


def what_runs(source: str) -> str:
    """Return what of *source* counts, as text; nothing where it is no Python.

    cosmic-ray takes the star between parameters for a product. No annotation is evaluated, a cache changes nothing but
    time, a rule of the house (tests/unit/gate) has values frozen, and what is bounded is bounded by one more as well.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            node.decorator_list = [one for one in node.decorator_list if not CACHE.match(ast.unparse(one))]
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.arguments):
            node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
            node.defaults = [*node.defaults, *filter(None, node.kw_defaults)]
            node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.keyword) and node.arg == "frozen":
            node.value = ast.Constant(True)
        elif isinstance(node, ast.Assign) and BOUND.match(ast.unparse(node.targets[0])):
            node.value = ast.Constant(0)
    return ast.dump(tree)


def tried(mutant: Mutant, seconds: dict[str, dict[str, float]]) -> str:
    """Run the tests that shall notice the mutant, and return what became of it: a word of COLUMNS."""
    for package, tests in rounds(mutant.place, seconds):
        limit_s = MOST_MORE_S + MOST_TIMES * round(sum(seconds[package][test] for test in tests))
        status = in_child(partial(run_tests, mutant, package, tests), limit_s)
        if status > pytest.ExitCode.INTERRUPTED:
            sys.exit(f"pytest itself failed, with {status}: see {WORK / 'log'}")
        if status:
            return "killed" if status > 0 else "stopped"
    return "survived"


def rounds(place: Place, seconds: dict[str, dict[str, float]]) -> Iterator[tuple[str, list[str]]]:
    """Yield packages, and which of their tests are to run next: the quick ones first, those of the file's own first."""
    own, own_file = place.package, f"/test_{place.path.name}::"
    quick = [(package, 0.0, QUICK_S) for package in (own, *USERS.get(own, ()))]
    for package, least, most in (*quick, (own, QUICK_S, SLOW_S)):
        tests = [test for test, taken in seconds[package].items() if least <= taken < most]
        if tests:
            yield package, sorted(tests, key=lambda test: (own_file not in test, seconds[package][test]))


def run_tests(mutant: Mutant, package: str, tests: Sequence[str]) -> int:
    """Become *mutant*, and return how pytest ends."""
    become(mutant)
    return pytest.main(["-q", "-x", "-p", "no:cacheprovider", str(TESTS / package)], plugins=[Ordered(tests)])


def become(mutant: Mutant) -> None:
    """Import the mutant under the name of the file that it was made of."""
    name = ".".join(["ansible_collections.pinned.release", *mutant.place.path.relative_to(ROOT).with_suffix("").parts])
    spec = importlib.util.find_spec(name)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(mutant.source, mutant.place.path, "exec"), module.__dict__)


def in_child(job: Callable[[], int], limit_s: int = 600) -> int:
    """Return how *job* ends in a process of its own: its status, or minus the signal that stopped it.

    It is stopped after *limit_s* of processor time, or ten times as long.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        with open(WORK / "log", "w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        signal.alarm(10 * limit_s)
        os._exit(job())
    finally:
        os._exit(1)


def tell(outcomes: Counter[tuple[str, str]]) -> None:
    """Print what became of the mutants of each package. It is no gate: a sample is some percent off, either way."""
    print(f"{'package':<10}{'tried':>8}" + "".join(f"{column:>10}" for column in COLUMNS) + f"{'noticed':>10}")
    for packages in (*((package,) for package in PACKAGES), PACKAGES):
        counts = [sum(outcomes[package, column] for package in packages) for column in COLUMNS]
        tried = sum(counts)
        percent = 100 * (tried - counts[-1]) / tried if tried else 100.0
        name = packages[0] if len(packages) == 1 else "all"
        print(f"{name:<10}{tried:>8}" + "".join(f"{count:>10}" for count in counts) + f"{percent:>8.1f} %")


if __name__ == "__main__":
    main()
