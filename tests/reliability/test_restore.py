# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing is lost with a source: in worlds made up by chance, with partial rights, and with snapshots that cannot be used."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from sandbox.model import Source
from sandbox.server import SandboxHandle
from support.attachments import attach, attached, of_others
from support.chain import Chain, Run
from support.scenarios import Snapshot, assert_connected, assert_foretold, check_settled, settle

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only
WORLDS, SAMPLE = 60, 4


def lose(sandbox: SandboxHandle, folder: Path, seed: object = 0, **options: Any) -> tuple[Chain, dict[str, Any]]:
    """An environment whose source was lost, after a run that took a snapshot of it; and what the source had."""
    sandbox.reset()
    chain = Chain(sandbox, folder, **{"snapshot": True, "snapshot_max_age": 0, **options})
    assert not settle(chain, "connect").failure
    (source,) = chain.twilio_sources
    attach(chain.env, source, seed)
    assert not settle(chain, "connect").failure
    had = attached(chain.env, source)
    sandbox.sabotage(chain.name, "delete-source")
    sandbox.clear_journal()
    return chain, had


def restored(chain: Chain) -> dict[str, Any]:
    (source,) = chain.twilio_sources
    return attached(chain.env, source)


def snapshot_of(chain: Chain) -> Path:
    lost = json.loads((chain.state_dir / f"ledger/{chain.name}.json").read_text())["steps"]["key"]["done"]["subject"]
    return chain.state_dir / f"snapshots/{lost['source_id']}.json"


def restore_record(chain: Chain) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((chain.state_dir / f"ledger/{chain.name}.json").read_text())["restore"]
    return found


def assert_check_mode_foretells(chain: Chain) -> None:
    """The intent and each item, in the diff that the real run then makes."""
    start = Snapshot(chain)
    foretold = chain.recover(check=True)
    assert start.same()
    real = chain.recover()
    for task in ("intent", "restore"):
        assert_foretold(foretold.results[task]["diff"], real.results[task]["diff"], task)
    taken = real.results["intent"]["snapshot"]
    for run in (foretold, real):
        assert run.looks[0]["due"]["restore"].startswith(f"from the snapshot of {taken}: ")
    start.restore()


def with_all_parts(sandbox: SandboxHandle, folder: Path) -> tuple[Chain, Source, Path]:
    """An environment whose source has all that a snapshot can have, the source, and the snapshot's file."""
    sandbox.reset()
    chain = Chain(sandbox, folder, snapshot=True, snapshot_max_age=0)
    assert not settle(chain, "connect").failure
    (source,) = chain.twilio_sources
    attach(chain.env, source, "rich")
    settle(chain, "connect")
    return chain, source, chain.state_dir / f"snapshots/{source.id}.json"


def cards(run: Run) -> list[Any]:
    return [card for card in run.statuses[-1]["cards"] if card["step"] == "restore"]


def test_in_every_world_the_new_source_is_as_the_old_one(
    sandbox: SandboxHandle, tmp_path: Path, full: bool, count: Any
) -> None:
    for seed in range(WORLDS) if full else random.Random("worlds").sample(range(WORLDS), SAMPLE):
        chain, had = lose(sandbox, tmp_path / str(seed), seed)
        gone = {*chain.env.sources}
        others = of_others(chain.env, ())
        assert_check_mode_foretells(chain)
        run = settle(chain, "recover")
        assert_connected(chain, run)
        assert restored(chain) == had, seed
        made = {*chain.env.sources} - gone
        assert of_others(chain.env, made) == others, "something of another source was changed"
        check_settled(chain, "recover")
        (source,) = chain.twilio_sources
        assert source.id == restore_record(chain)["source_id"]
        count("worlds in which a source was lost and put back")


def denied(sandbox: SandboxHandle, path: str) -> None:
    sandbox.fault(match=f"^POST /segment/us{path}|^PATCH /segment/us{path}", status=403, count=None)


@pytest.mark.parametrize(
    ("path", "item", "role"),
    [
        ("/warehouses/*/connected-sources", "warehouses:", "Warehouse Admin"),
        ("/warehouses/*/selective-sync", "selective_sync:", "Warehouse Admin"),
        ("/tracking-plans", "tracking_plan:", "Tracking Plan Admin"),
        ("/sources/*/labels", "labels:", "Source Admin"),
        ("/sources/*/settings", "schema_settings", "Source Admin"),
    ],
)
def test_an_item_that_the_token_may_not_put_back_fails_alone(
    sandbox: SandboxHandle, tmp_path: Path, path: str, item: str, role: str
) -> None:
    chain, had = lose(sandbox, tmp_path, "rich")
    denied(sandbox, path)
    run = chain.recover()
    assert not run.failure
    warnings = [told for told in run.results["restore"]["warnings"] if role in told]
    assert warnings, run.results["restore"]
    states = restore_record(chain)["items"]
    lacking = {one for one, state in states.items() if state == "denied"}
    assert lacking
    assert all(one.startswith(item) for one in lacking)
    assert {state for one, state in states.items() if one not in lacking} <= {"done", "failed"}
    status = run.statuses[-1]
    assert (status["status"], status["fails"], "the token lacked the right" in status["due"]["restore"]) == (
        "pending",
        True,
        True,
    )
    # It is tried again, and nothing has changed as long as it is denied.
    again = chain.recover()
    assert again.changed == []
    assert [path.name for path in (chain.state_dir / "snapshots").iterdir()] == [
        f"{restore_record(chain)['lost_source_id']}.json"
    ]
    sandbox.clear_faults()
    assert_connected(chain, settle(chain, "recover"))
    assert restored(chain) == had
    check_settled(chain, "recover")


def test_what_no_longer_exists_is_named_and_the_rest_is_put_back(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, had = lose(sandbox, tmp_path, "rich", source_labels={})
    env = chain.env
    lost_warehouse, lost_plan = had["warehouses"].popitem()[0], had["plans"].pop()
    lost_label = had["labels"].pop()
    del env.warehouses[lost_warehouse], env.tracking_plans[lost_plan]
    env.labels = [label for label in env.labels if (label["key"], label["value"]) != lost_label]
    run = settle(chain, "recover")
    assert_connected_without_labels(chain, run)
    assert restored(chain) == had
    gone = {item for item, state in restore_record(chain)["items"].items() if state == "gone"}
    assert gone >= {f"warehouses:{lost_warehouse}", f"tracking_plan:{lost_plan}", f"labels:{'='.join(lost_label)}"}
    (card,) = cards(run)
    told = " ".join(f"{action['label']} {action['hint']}" for action in card["actions"])
    for name in (lost_warehouse, lost_plan, "=".join(lost_label), "no longer exists", "dev plan"):
        assert name in told
    check_settled(chain, "recover")


def assert_connected_without_labels(chain: Chain, run: Run) -> None:
    assert not run.failure, run.failure
    (source,) = chain.twilio_sources
    assert source.id in chain.env.linked


def test_a_card_names_what_cannot_be_put_back_until_it_is_acknowledged(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, _had = lose(sandbox, tmp_path, "rich")
    chain.env.spaces.append({"id": "spa_other", "name": "other space", "slug": "other"})
    # The snapshot was taken before; what it names counts.
    run = settle(chain, "recover")
    (card,) = cards(run)
    labels = [action["label"] for action in card["actions"]]
    assert "the destination 'destination 0'" in labels
    assert "the function 'function 0'" in labels
    assert "Sam Source (Source Admin) the right to the source" in labels
    assert run.statuses[-1]["status"] in ("proven", "attested")
    assert card["acknowledge"] in card["confirm_command"]
    assert "-e unified_profiles_confirmed_by=NAME" in card["confirm_command"]
    assert cards(chain.recover()) == [card]
    chain.options |= {"acknowledge": [card["acknowledge"]], "confirmed_by": "jane"}
    chain.recover()
    del chain.options["acknowledge"]
    assert cards(chain.recover()) == []


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda text: "{", "is damaged: it is no JSON object"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "written by a newer release"),
        (lambda text: text.replace('"source_id": "', '"source_id": "x'), "of another source"),
        (lambda text: text.replace('"environment": "dev"', '"environment": "prod"'), "of another environment"),
        (lambda text: text.replace('"labels": [', '"labels": [1,'), "'snapshot.labels.0' should be an object"),
        (lambda text: "\0", "is not UTF-8"),
        (lambda text: None, "There is no snapshot"),
    ],
)
def test_a_snapshot_that_cannot_be_used_is_told_and_the_source_is_made(
    sandbox: SandboxHandle, tmp_path: Path, spoil: Any, told: str
) -> None:
    chain, _had = lose(sandbox, tmp_path, "rich")
    file = snapshot_of(chain)
    if (text := spoil(file.read_text())) is None:
        file.unlink()
    else:
        file.write_text(text)
    run = settle(chain, "recover")
    assert told in " ".join(run.looks[0]["warnings"])
    assert_connected(chain, run)
    check_settled(chain, "recover")


def test_a_snapshot_in_sync_is_stored_there_alone_and_put_back(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, had = lose(sandbox, tmp_path, "rich", remember="sync", ledger="sync")
    assert not (chain.state_dir / "snapshots").exists()
    # An outage is over another time: until then no source is made that nothing would be put back to.
    for status in (503, 400):
        read = sandbox.fault(
            match="GET /twilio/sync/v1/Services/default/Documents/snapshot-*", status=status, count=None
        )
        run = chain.recover()
        assert read.hits
        assert run.failure
        assert chain.twilio_sources == []
        sandbox.clear_faults()
    assert_connected(chain, settle(chain, "recover"))
    assert restored(chain) == had
    chain.options["snapshot_max_age"] = 1
    check_settled(chain, "recover")
    (source,) = chain.twilio_sources
    names = [it["unique_name"] for of in chain.env.services.values() for it in of["documents"].values()]
    assert f"snapshot-of-unified-profiles-{source.id}" in names
    assert [*tmp_path.rglob("*.json")] == []


def test_a_snapshot_that_cannot_be_stored_or_read_in_sync_is_told(sandbox: SandboxHandle, tmp_path: Path) -> None:
    sandbox.reset()
    chain = Chain(sandbox, tmp_path, snapshot=True, snapshot_max_age=0, remember="sync")
    assert not settle(chain, "connect").failure
    sandbox.fault(match="POST /twilio/sync/v1/Services/default/Documents/snapshot-*", status=403, count=None)
    run = chain.connect()
    assert [problem.partition(":")[0] for problem in run.problems] == ["dev"]
    sandbox.fault(match="GET /twilio/sync/v1/Services/default/Documents/snapshot-*", status=500, count=None)
    run = chain.connect()
    assert (run.failure, run.statuses[-1]["status"]) == (None, "proven")
    assert "No snapshot is taken." in " ".join(run.looks[-1]["warnings"])
    sandbox.clear_faults()
    sandbox.fault(match="GET /twilio/sync/v1/Services/default/Documents/snapshot-*", status=403, count=None)
    sandbox.sabotage(chain.name, "delete-source")
    run = settle(chain, "recover")
    assert "is not open to these credentials" in " ".join(run.looks[0]["warnings"])
    assert_connected(chain, run)


@pytest.mark.parametrize("options", [{"remember": "none"}, {"snapshot": False}])
def test_where_nothing_is_remembered_no_snapshot_is_kept(
    sandbox: SandboxHandle, tmp_path: Path, options: dict[str, Any]
) -> None:
    chain, _had = lose(sandbox, tmp_path, "rich", **options)
    assert [path.name for path in chain.state_dir.iterdir() if path.is_dir()] == ["ledger"]
    run = settle(chain, "recover")
    assert "There is no snapshot" in " ".join(run.looks[0]["warnings"])
    assert_connected(chain, run)
    check_settled(chain, "recover")


def test_a_snapshot_that_is_damaged_while_a_restore_is_open_leaves_it_open(
    sandbox: SandboxHandle, tmp_path: Path
) -> None:
    chain, had = lose(sandbox, tmp_path, "rich")
    denied(sandbox, "/warehouses")
    chain.recover()
    file = chain.state_dir / f"snapshots/{restore_record(chain)['lost_source_id']}.json"
    text = file.read_text()
    file.write_text("{")
    sandbox.clear_faults()
    run = chain.recover()
    assert "damaged" in " ".join(run.looks[-1]["warnings"])
    assert "give it up with unified_profiles_restore: []" in " ".join(run.looks[-1]["warnings"])
    assert (run.statuses[-1]["status"], [*run.statuses[-1]["due"]]) == ("pending", ["restore"])
    start = Snapshot(chain)
    file.write_text(text)
    settle(chain, "recover")
    assert restored(chain) == had
    # Whoever has no copy of it gives up what it had.
    start.restore()
    chain.options["restore"] = []
    run = chain.recover()
    assert (run.changed, run.looks[-1]["due"]) == (["restore"], {})
    assert "left out" in restore_record(chain)["items"].values()
    check_settled(chain, "recover")


@pytest.mark.parametrize("named", [False, True])
def test_the_id_in_the_inventory_changes_nothing_of_what_is_put_back(
    sandbox: SandboxHandle, tmp_path: Path, named: bool
) -> None:
    chain, had = lose(sandbox, tmp_path)
    if named:
        chain.options["source_id"] = json.loads(snapshot_of(chain).read_text())["source_id"]
    run = settle(chain, "recover")
    assert not run.failure
    (now,) = chain.twilio_sources
    assert attached(chain.env, now) == had


def test_what_takes_the_place_is_lost_as_well(sandbox: SandboxHandle, tmp_path: Path) -> None:
    """Nothing was well yet when it was lost, so the first snapshot still counts."""
    chain, had = lose(sandbox, tmp_path, "rich")
    denied(sandbox, "/warehouses")
    chain.recover()
    sandbox.sabotage(chain.name, "delete-source")
    sandbox.clear_faults()
    assert_connected(chain, settle(chain, "recover"))
    assert restored(chain) == had
    # And once more, before there was a snapshot of it.
    (source,) = chain.twilio_sources
    (chain.state_dir / f"snapshots/{source.id}.json").unlink()
    sandbox.sabotage(chain.name, "delete-source")
    assert_connected(chain, settle(chain, "recover"))
    assert restored(chain) == had


@pytest.mark.parametrize("part", ["labels", "schema_settings", "warehouses", "selective_sync", "tracking_plan", "slug"])
def test_each_part_can_be_left_out(sandbox: SandboxHandle, tmp_path: Path, part: str) -> None:
    parts = ["labels", "schema_settings", "warehouses", "selective_sync", "tracking_plan", "slug"]
    chain, had = lose(sandbox, tmp_path, "rich", restore=[one for one in parts if one != part], source_labels={})
    assert not settle(chain, "recover").failure
    found = restored(chain)
    names = {"schema_settings": "schema", "tracking_plan": "plans", "selective_sync": "warehouses"}
    different = {name for name, value in had.items() if found[name] != value}
    assert different == {names.get(part, part)}
    check_settled(chain, "recover")


def test_somebody_elses_slug_and_plan_are_left_alone(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, had = lose(sandbox, tmp_path, "r4")
    env, world = chain.env, sandbox.world
    assert had["slug"] == "made-by-hand"
    other = world.make_source(env, "made-by-hand", "V6ynUvQgbc", name="somebody else's")
    assert_connected(chain, settle(chain, "recover"))
    assert env.sources[other.id].name == "somebody else's"
    assert chain.twilio_sources[0].slug == "twilio-unified-profiles"


def test_what_segment_does_not_take_over_is_for_a_person(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, _had = lose(sandbox, tmp_path, "rich")
    sandbox.world.switch({"sync_of_unseen": "warned"})
    run = settle(chain, "recover")
    assert_connected(chain, run)
    refused = {item for item, state in restore_record(chain)["items"].items() if state == "refused"}
    assert refused
    assert all(item.startswith("selective_sync:") for item in refused)
    (card,) = cards(run)
    assert "Segment refused it" in [action["hint"] for action in card["actions"]]
    check_settled(chain, "recover")


def test_a_snapshot_is_taken_once_a_day_and_has_no_settings(sandbox: SandboxHandle, tmp_path: Path) -> None:
    sandbox.reset()
    chain = Chain(sandbox, tmp_path, snapshot=True)
    assert not settle(chain, "connect").failure
    (source,) = chain.twilio_sources
    attach(chain.env, source, "rich")
    for one in chain.env.destinations.values():
        one["settings"] = {"apiKey": "canary-in-a-setting"}
    source.settings = {"secret": "canary-in-a-setting"}
    file = chain.state_dir / f"snapshots/{source.id}.json"
    first = file.read_text()
    settle(chain, "connect")
    assert file.read_text() == first
    # A daily job begins a little sooner on some days.
    sandbox.advance(24 * 3600 - 60)
    chain.connect(check=True)
    assert file.read_text() == first
    # Segment's clock is what counts, and any playbook that looks takes it.
    run = chain.play("drift")
    snapshot = json.loads(file.read_text())
    assert snapshot["at"] > json.loads(first)["at"], run.statuses
    assert snapshot["unread"] == {}
    assert {name for one in snapshot["destinations"] for name in one} == {"id", "name", "type", "enabled"}
    assert "canary" not in file.read_text() + json.dumps(run.looks)
    assert source.keys[0] not in file.read_text()


def test_a_snapshot_stays_within_the_limits_of_segment(sandbox: SandboxHandle, tmp_path: Path) -> None:
    sandbox.reset()
    chain = Chain(sandbox, tmp_path, snapshot=True)
    assert not settle(chain, "connect").failure
    (source,) = chain.twilio_sources
    names = [f"warehouse{number}" for number in range(4)]
    syncs = {source.id: {"tracks": {"a": True, "b": False}}}
    chain.env.warehouses = {name: {"name": name, "sources": [source.id], "syncs": syncs} for name in names}
    sandbox.switch(rate_limits=True)
    for known in (2, 4):
        sandbox.advance(25 * 3600)
        sandbox.clear_journal()
        chain.play("drift")
        assert [entry["path"] for entry in sandbox.journal() if entry["status"] == 429] == []
        snapshot = json.loads((chain.state_dir / f"snapshots/{source.id}.json").read_text())
        assert [one["not_synced"] for one in snapshot["warehouses"] if "not_synced" in one] == [
            {"tracks": ["b"]}
        ] * known


def test_a_warehouse_of_which_nobody_knows_what_it_leaves_out_is_for_a_person(
    sandbox: SandboxHandle, tmp_path: Path
) -> None:
    sandbox.reset()
    chain = Chain(sandbox, tmp_path, snapshot=True)
    assert not settle(chain, "connect").failure
    (source,) = chain.twilio_sources
    names = [f"warehouse{number}" for number in range(3)]
    syncs = {source.id: {"users": {"": False}}}
    chain.env.warehouses = {name: {"name": name, "sources": [source.id], "syncs": syncs} for name in names}
    sandbox.advance(25 * 3600)
    chain.connect()
    snapshot = json.loads((chain.state_dir / f"snapshots/{source.id}.json").read_text())
    (unknown,) = [one["id"] for one in snapshot["warehouses"] if "not_synced" not in one]
    assert [*snapshot["unread"]] == [f"selective_sync:{unknown}"]
    sandbox.sabotage("dev", "delete-source")
    run = settle(chain, "recover")
    (now,) = chain.twilio_sources
    assert [name for name, one in chain.env.warehouses.items() if now.id in one["sources"]] == [
        name for name in names if name != unknown
    ]
    (card,) = cards(run)
    assert f"the connection to the warehouse '{unknown}' ({unknown})" in [it["label"] for it in card["actions"]]
    assert f"selective_sync:{unknown}" in str(card["warnings"])
    check_settled(chain, "recover")


def test_each_warehouse_has_its_turn_and_is_named_until_then(sandbox: SandboxHandle, tmp_path: Path) -> None:
    """Also where two can never be read, and where the warehouses cannot be listed any more."""
    sandbox.reset()
    chain = Chain(sandbox, tmp_path, snapshot=True, snapshot_max_age=0)
    assert not settle(chain, "connect").failure
    (source,) = chain.twilio_sources
    names = [f"warehouse{number}" for number in range(3)]
    chain.env.warehouses = {name: {"name": name, "sources": [source.id]} for name in names}
    file = chain.state_dir / f"snapshots/{source.id}.json"
    for name in names[:2]:
        sandbox.fault(match=f"^GET /segment/us/warehouses/{name}/*/selective-syncs", status=403, count=None)
    unknown = []
    for _turn in range(2):
        sandbox.advance(25 * 3600)
        chain.connect()
        snapshot = json.loads(file.read_text())
        unknown.append([one["id"] for one in snapshot["warehouses"] if "not_synced" not in one])
        assert {*snapshot["unread"]} == {f"selective_sync:{name}" for name in unknown[-1]}
    assert unknown == [names, names[:2]]
    # As of a snapshot in Sync that had no room for it.
    sandbox.fault(match="^GET /segment/us/sources/*/connected-warehouses", status=403, count=None)
    file.write_text(json.dumps({**snapshot, "unread": {}}))
    chain.connect()
    assert {*json.loads(file.read_text())["unread"]} == {
        "warehouses",
        *(f"selective_sync:{name}" for name in names[:2]),
    }


def test_what_could_not_be_read_is_told_where_nothing_else_is_left(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, _had = lose(sandbox, tmp_path)
    file = snapshot_of(chain)
    known = json.loads(file.read_text())
    kept = {name: known[name] for name in ("format", "environment", "source_id", "at", "slug")}
    file.write_text(json.dumps({**kept, "unread": {"rights": "The token may not read them."}}))
    (card,) = cards(settle(chain, "recover"))
    assert "rights: The token may not read them." in str(card["warnings"])


def test_functions_stay_known_where_destinations_cannot_be_read(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, _source, file = with_all_parts(sandbox, tmp_path)
    functions = json.loads(file.read_text())["functions"]
    assert functions
    sandbox.fault(match="GET */connected-destinations", status=403, count=None)
    chain.connect()
    now = json.loads(file.read_text())
    assert now["functions"] == functions
    assert {"functions", "destinations"} <= {*now["unread"]}


def test_a_part_that_cannot_be_read_stays_as_it_was(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, source, file = with_all_parts(sandbox, tmp_path)
    known = json.loads(file.read_text())
    for path in ("/users", f"/sources/{source.id}/*", "/warehouses*", "/tracking-plans*", "/functions"):
        sandbox.fault(match=f"^GET /segment/us{path}$", status=403, count=None)
    run = settle(chain, "connect")
    assert not run.failure
    found = json.loads(file.read_text())
    assert {"rights", "warehouses", "schema_settings", "destinations"} <= {*found["unread"]}
    for part in ("rights", "warehouses", "schema_settings", "destinations", "tracking_plan"):
        assert found[part] == known[part]


def test_a_tracking_plan_that_may_not_be_read_is_known_by_its_id(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, _source, file = with_all_parts(sandbox, tmp_path)
    plan = json.loads(file.read_text())["tracking_plan"]
    file.unlink()
    sandbox.fault(match="GET */tracking-plans/*", status=403, count=None)
    assert not settle(chain, "connect").failure
    assert json.loads(file.read_text())["tracking_plan"] == {**plan, "name": ""}
