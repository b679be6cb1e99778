# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every message that the troubleshooting page quotes is one that the collection gives, and what is said to show it does."""

from __future__ import annotations

import ast
import datetime
import json
import os
import re
import socket
import sys
import threading
from dataclasses import asdict, replace
from types import SimpleNamespace

import httpx
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.flexops.unified_profiles.plugins.action import profiles_ask
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base import gather
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import LedgerError, Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.process import run_process
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import format_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients import services
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.at_work import Holder
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import connections
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.clock import Clock
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.libraries import check_libraries
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_lock
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _hosts
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import LOOK, survey_settings
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import looks
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import RUN_ONLY, run_only_problem
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._survey import Survey
from sandbox.server import run_sandbox
from support.chain import Chain, QuickClock, surveyed
from support.project import ROOT
from support.scenarios import by_hand, settle
from support.settings import looked_at, of_hosts, pace

PAGE = (ROOT / "docs/troubleshooting.md").read_text()
# By its heading. `...` is what differs from time to time.
SECTIONS = dict(re.findall(r"^### (.+)\n(?s:(.*?))(?=^##|\Z)", PAGE, re.MULTILINE))
QUOTED = [re.findall("`([^`]+)`", heading) for heading in SECTIONS]
BY = [" ".join(text.partition("**Shown by**: ")[2].split()) for text in SECTIONS.values()]
SHOWN = {quoted[0]: re.findall("`([^`]+)`", by) for quoted, by in zip(QUOTED, BY) if "`" in by}
# What no recipe can say, in words: what the page says of it, and the message.
IN_WORDS = {by.rstrip("."): quoted[0] for quoted, by in zip(QUOTED, BY) if by and "`" not in by}
PIECES = [[piece.strip() for quoted in row for piece in quoted.split("...") if piece.strip()] for row in QUOTED]


def said() -> list[str]:
    """The strings in the code, without what is put into them, each with single spaces."""
    found = []
    for path in (ROOT / "plugins").rglob("*.py"):
        tree = ast.parse(path.read_text())
        found += [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
    for folder in ("playbooks", "roles"):
        found += [path.read_text() for path in (ROOT / folder).rglob("tasks/*.yml")]
        found += [path.read_text() for path in (ROOT / folder).rglob("shared/*.yml")]
    return [" ".join(text.split()) for text in found]


@pytest.mark.newest_only
def test_every_quoted_message_is_in_the_code():
    texts = said()
    assert [piece for row in PIECES for piece in row if not any(piece in text for text in texts)] == []
    assert len(PIECES) > 20
    assert [row for row in PIECES if sum(map(len, row)) < 12] == [], "too short to find a message by"


def with_settings(chain, lines, playbook):
    """What a run says with these lines in the inventory: of the settings, of the look, or of the chain of tasks."""
    base = {name: json.dumps(value) for name, value in chain.variables.items() if name.startswith("unified_profiles_")}
    hosts = [*of_hosts(chain.state_dir, base, {"dev": lines})]
    ((_host, variables, _templar),) = hosts
    looks, _outcomes, problems = looked_at(hosts, playbook)
    said = [run_only_problem(variables, ()), *problems.get("dev", [])]
    if "dev" in looks:
        said.append(looks["dev"]["failure"])
    if not any(said):
        chain.options |= {name.removeprefix("unified_profiles_"): yaml.safe_load(line) for name, line in lines.items()}
        said = what_is_said(chain.play(playbook))
    return said


def what_is_said(run):
    """The lines of the report, the findings, and the warnings of tasks."""
    said = [status["why"] for status in run.statuses] + [warning for look in run.looks for warning in look["warnings"]]
    said += [finding["detail"] for status in run.statuses for finding in status["findings"]]
    said += [warning for result in run.results.values() for warning in result.get("warnings", [])]
    return [*said, run.failure["msg"]] if run.failure else said


@pytest.mark.newest_only
@pytest.mark.parametrize("message", SHOWN)
def test_what_is_said_to_show_a_message_shows_it(message, sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "Clock", QuickClock)
    chain = Chain(sandbox, tmp_path)
    assert not settle(chain, "connect").failure
    *breaks, playbook = SHOWN[message]
    lines = {}
    for how in breaks:
        if how.startswith('{"advance"'):
            sandbox.advance(json.loads(how)["advance"])
        elif how.startswith("{"):
            sandbox.fault(count=None, **json.loads(how))
        elif how.startswith(": > "):
            (tmp_path / how.removeprefix(": > ")).write_text("")
        elif ": " in how:
            name, _colon, line = how.partition(": ")
            lines[name] = line.replace("http://127.0.0.1:8765", sandbox.url)
        else:
            sandbox.sabotage("dev", how)
    said = with_settings(chain, lines, playbook) if lines else what_is_said(chain.play(playbook))
    assert says(message, " ".join(said)), said


def says(message, text):
    """Return whether the pieces of a message are in a string, in their order. A module names its option, and a run the setting."""
    pieces = [piece.strip() for piece in message.replace("unified_profiles_", "").split("...")]
    return re.search(".*".join(map(re.escape, pieces)), text.replace("unified_profiles_", ""), re.DOTALL) is not None


class Case:
    """One run in which something is broken. Each method does what the page says in words, and returns what is said then.

    Args:
        sandbox: The sandbox.
        folder: For the ledger and whatever else is written.
        monkeypatch: For what surrounds a run.
        broken: Leave the break out where this is false.
    """

    def __init__(self, sandbox, folder, monkeypatch, broken):
        self.sandbox, self.folder, self.monkeypatch, self.broken = sandbox, folder, monkeypatch, broken
        folder.mkdir()

    def connected(self, name="dev", **options):
        chain = Chain(self.sandbox, self.folder, name, **options)
        assert not settle(chain, "connect").failure
        return chain

    def inventory(self, content, secrets=()):
        (self.folder / "inventory").mkdir()
        (self.folder / "inventory/hosts.yml").write_text(content)
        loader = DataLoader()
        loader.set_vault_secrets(secrets)
        # There is no task whose variables these are.
        self.monkeypatch.setattr(_hosts, "variables_by_host", lambda _hostvars, _task: None)
        with pytest.raises(Refused) as refused:
            _hosts.Hosts.of_another(str(self.folder / "inventory"), None, loader).run_settings([])
        return str(refused.value)

    def a_vaulted_file_without_its_password(self):
        secrets = [("default", VaultSecret(b"password"))]
        content = VaultLib(secrets).encrypt("unified_profiles: {hosts: {dev: {}}}").decode()
        return self.inventory(content, () if self.broken else secrets)

    def a_host_whose_name_is_a_number(self):
        return self.inventory(f"unified_profiles: {{hosts: {{dev: {{}}, {'1001' if self.broken else 'prod'}: {{}}}}}}")

    def an_environment_variable_beside_an_empty_value(self):
        if self.broken:
            self.monkeypatch.setenv("SEGMENT_TOKEN", "sgp_of_another")
        return with_settings(self.connected(), {"unified_profiles_segment_token": '""'}, "connect")

    def a_second_host_with_the_same_token(self):
        hosts = {name: Chain(self.sandbox, self.folder, name).variables for name in ("dev", "prod")}
        if self.broken:
            hosts["prod"] = {**hosts["dev"], "inventory_hostname": "prod"}
        return [status["why"] for status in surveyed("connect", hosts)[1].values()]

    def three_sources_that_are_deleted(self):
        hosts = {name: self.connected(name).variables for name in self.sandbox.world.environments}
        for name in [*hosts][: 3 if self.broken else 2]:
            self.sandbox.sabotage(name, "delete-source")
        return [status["why"] for status in surveyed("recover", hosts)[1].values()]

    def an_answer_without_write_keys(self):
        chain = self.connected(channel="operator")
        headers = {"Authorization": f"Bearer {chain.env.segment_token}"}
        answer = httpx.get(f"{self.sandbox.url}/segment/us/sources", headers=headers).json()
        for source in answer["data"]["sources"]:
            source["writeKeys"] = []
        if self.broken:
            self.sandbox.fault(kind="status", status=200, match="GET /segment/us/sources$", body=answer, count=None)
        return what_is_said(chain.connect())

    def a_card_that_is_confirmed_after_its_key_was_replaced(self):
        chain = self.connected(channel="operator")
        self.sandbox.sabotage("dev", "remove-key")
        confirm = {"key": by_hand(chain, "key", chain.connect().pending["key"])}
        if self.broken:
            self.sandbox.sabotage("dev", "remove-key")
        return what_is_said(chain.connect(confirm=confirm))

    def a_confirmation_that_the_endpoint_contradicts(self):
        chain = self.connected(channel="operator")
        self.sandbox.sabotage("dev", "remove-key")
        asked = chain.connect().pending["key"]
        confirm = {"by": "jane", "digest": asked["digest"]} if self.broken else by_hand(chain, "key", asked)
        chain.options["channel"] = "endpoint"
        return what_is_said(chain.connect(confirm={"key": confirm}))

    def a_renamed_source_of_another_type_with_that_slug(self):
        chain = self.connected()
        (source,) = chain.twilio_sources
        self.sandbox.sabotage("dev", "swap-type")
        self.sandbox.sabotage("dev", "rename-source")
        source.slug = "twilio-unified-profiles" if self.broken else "another"
        return what_is_said(chain.recover())

    def an_endpoint_without_a_way_to_read_that_loses_its_answer(self):
        chain = self.connected(read_back=False)
        self.sandbox.sabotage("dev", "remove-key")
        if self.broken:
            self.sandbox.fault(kind="drop_after", match="POST /handover")
        return what_is_said(chain.connect())

    def a_job_of_awx_that_may_ask(self):
        status = Chain(self.sandbox, self.folder, channel="operator").connect().statuses[-1]
        action = object.__new__(profiles_ask.ActionModule)
        action._task, action._templar = SimpleNamespace(check_mode=False), None
        self.monkeypatch.setattr(profiles_ask, "ask", lambda *_asked: {})
        job = {"awx_job_id": 7} if self.broken else {}
        variables = {LOOK: {"environments": {"dev": status}, "due": {}}, "hostvars": {}, **job}
        return action.act({"confirmed_by": "jane", "timeout": 1}, variables)["warnings"]

    def a_service_that_hangs(self):
        return self.hangs(self.sandbox.on_request)

    def a_name_server_that_hangs(self):
        self.monkeypatch.setattr(gather, "GRACE", 0.1)
        # Long enough to come to the look-up of the name on a busy machine: what ends before is another message.
        return self.hangs(lambda wait: self.monkeypatch.setattr(socket, "getaddrinfo", wait), 1.0)

    def hangs(self, where, limit=0.1):
        """Return what a look says that has so many seconds, and is not answered before they are over."""
        over = threading.Event()
        survey = Survey("connect", pace(1, limit if self.broken else 60.0), lambda line: None)
        settings = survey_settings(self.connected().variables, None, "connect", RUN_ONLY, ["dev"])
        if self.broken:
            where(lambda *_asked: over.wait(60))
        try:
            return survey.look(["dev"], lambda name: settings)["dev"]["failure"]
        finally:
            over.set()

    def a_report_without_a_survey_before_it(self):
        try:
            return str(looks({} if self.broken else {LOOK: {"environments": {}, "due": {}}, "hostvars": {}}))
        except Refused as refused:
            return str(refused)

    def a_clock_that_is_ten_minutes_off(self):
        chain = self.connected()
        if self.broken:
            late = {"now": lambda self: Clock.now(self) - datetime.timedelta(minutes=10)}
            self.monkeypatch.setattr(connections, "Clock", type("Late", (QuickClock,), late))
        # The times of a sandbox are taken as they are, so it is no sandbox here.
        chain.options |= {
            api.url_option: self.sandbox.url + api.sandbox_path
            for api in vars(services).values()
            if isinstance(api, services.ApiInfo)
        }
        return with_settings(chain, {"unified_profiles_sandbox_url": "null"}, "connect")

    def a_certificate_of_an_unknown_ca(self):
        with run_sandbox(1, ca_file=self.folder / "ca.pem") as secure:
            (name,) = secure.world.environments
            trusted = {} if self.broken else {"ca_path": str(self.folder / "ca.pem")}
            return what_is_said(Chain(secure, self.folder, name, **trusted).connect())

    def httpx_026(self):
        if self.broken:
            self.monkeypatch.setattr(httpx, "__version__", "0.26.0")
        return str(check_libraries())

    def a_python_without_httpx(self):
        if self.broken:
            self.monkeypatch.setitem(sys.modules, "httpx", None)
        return str(check_libraries())

    def a_run_of_another_process(self):
        chain = self.connected()
        if self.broken:
            process = replace(run_process(), pid=os.getppid(), started="")
            since = format_time(Clock().now())
            holder = asdict(Holder("jane", since=since, renewed=since, **asdict(process)))
            (self.folder / "ledger/dev.run").write_text(json.dumps(holder))
        return chain.run(profiles_lock).get("msg", "")

    def a_second_run_of_the_same_rotation(self):
        self.connected()
        one, two = FileLedger(self.folder, "dev"), FileLedger(self.folder, "dev")
        began = {"phase": "add", "at": format_time(Clock().now()), "old": "k1", "before": ["k1"]}
        seen = one.read()
        if self.broken:
            two.read()
            two.save(replace(seen, rotation=began))
        try:
            return str(one.save(replace(seen, rotation={**began, "phase": "roll_back"})))
        except LedgerError as refused:
            return str(refused)


@pytest.mark.newest_only
@pytest.mark.parametrize("words", IN_WORDS)
def test_what_is_said_in_words_shows_a_message_and_its_absence_does_not(words, sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "Clock", QuickClock)
    show = re.sub(r"\W", "", words.lower().replace(" ", "_"))
    for broken in (False, True):
        sandbox.reset()
        said = getattr(Case(sandbox, tmp_path / str(broken), monkeypatch, broken), show)()
        assert says(IN_WORDS[words], said if isinstance(said, str) else " ".join(filter(None, said))) == broken, said


def test_each_message_has_what_to_do():
    assert [heading for heading, text in SECTIONS.items() if "\n**What to do**: " not in text] == []


def test_each_message_is_shown():
    assert [heading for heading, text in SECTIONS.items() if text.count("\n**Shown by**: ") != 1] == []
    assert len(SHOWN) + len(IN_WORDS) == len(SECTIONS)
    # One heading each.
    assert len(SECTIONS) == len(re.findall("^### ", PAGE, re.MULTILINE))
