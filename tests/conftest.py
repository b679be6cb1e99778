# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox for the whole run, a project folder with an inventory for each test, and the number of cases."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is slow, and no failure of what is tested.
settings.register_profile("here", deadline=None, database=None)
settings.load_profile("here")

# What is set in the shell of whoever runs the tests is none of theirs, and would reach every ansible-playbook that they start.
OUTSIDE = re.compile(
    "(?i)(ANSIBLE|SEGMENT|TWILIO|SANDBOX|UNIFIED_PROFILES)_.*|SSL_CERT_(FILE|DIR)|SSLKEYLOGFILE|[a-z]+_PROXY|PYTHON(OPTIMIZE|WARNINGS)"
)
OURS = ("ANSIBLE_CONFIG", "ANSIBLE_COLLECTIONS_PATH", "SEGMENT_SDK")
for variable in [name for name in os.environ if OUTSIDE.fullmatch(name) and name not in OURS]:
    del os.environ[variable]

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "extensions")]

from sandbox.server import SandboxHandle, run_sandbox  # noqa: E402
from support.documents import FOLDER, Documents  # noqa: E402
from support.project import Project  # noqa: E402


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    # Ansible reads its variables when it is imported, so not before those of the shell are gone.
    from ansible.plugins.loader import init_plugin_loader
    from ansible.utils.collection_loader import AnsibleCollectionConfig

    # pytest-ansible does it where it is installed, and a second loader would import everything twice.
    if AnsibleCollectionConfig.collection_finder is None:
        init_plugin_loader()


@pytest.fixture
def converse():
    # As late as this, since nothing of the collection can be imported before Ansible's loader is there.
    from support.conversation import conversations

    yield from conversations()


@pytest.fixture(scope="session")
def documents() -> Documents | None:
    """The vendors' OpenAPI documents, where there are any. They see every answer of the shared sandbox."""
    return Documents(FOLDER) if FOLDER else None


@pytest.fixture(autouse=True)
def _answers_fit_the_documents(documents: Documents | None) -> Iterator[None]:
    yield
    if documents:
        problems, documents.problems = documents.problems, []
        assert not problems, "answers that the vendors' documents do not know:\n" + "\n".join(problems[:10])


@pytest.fixture(scope="session")
def shared_sandbox(documents: Documents | None) -> Iterator[SandboxHandle]:
    with run_sandbox() as sandbox:
        if documents:
            sandbox.world.watchers.append(documents.check)
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: SandboxHandle) -> SandboxHandle:
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxHandle) -> Project:
    return Project(tmp_path, sandbox)


@pytest.fixture
def projects(tmp_path: Path, sandbox: SandboxHandle) -> Callable[[str], Project]:
    """Makes more projects than one, by name."""
    return lambda name: Project(tmp_path / name, sandbox)


@pytest.fixture(params=["sample", pytest.param("all", marks=pytest.mark.full)])
def full(request: pytest.FixtureRequest) -> bool:
    """Return whether all cases are meant, and not the share of them that every run of the tests has time for."""
    return bool(request.param == "all")


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Iterator[Callable[[str, int], None]]:
    """Counts cases under a heading; the summary of the whole run adds them up."""
    counted: dict[str, int] = {}

    def add(heading: str, cases: int = 1) -> None:
        counted[heading] = counted.get(heading, 0) + cases

    yield add
    for heading, cases in counted.items():
        record_property("cases: " + heading, cases)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    totals: dict[str, int] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name.startswith("cases: ") and getattr(report, "when", "") == "teardown":
                    totals[name[7:]] = totals.get(name[7:], 0) + int(value)
    if totals:
        terminalreporter.section("cases")
        for heading, cases in sorted(totals.items()):
            terminalreporter.write_line(f"{cases:6d}  {heading}")
