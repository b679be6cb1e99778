# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of connect and recover with nothing around them: `raw.py connect|recover INVENTORY URL [CA_FILE]`.

One client, kept-alive connections, and as many environments at once as Ansible has forks. Within one environment it
sends together what the collection sends together. Nothing is checked, recorded or tried again.
"""

from __future__ import annotations

import hashlib
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import yaml

FORKS = 20
STEPS = ("connection", "link", "key")
NAME = "twilio-unified-profiles"


def fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


class OnceMore(httpx.HTTPTransport):
    """Reads once more where a connection that was kept alive is gone: a thousand environments meet that now and then."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except httpx.TransportError:
            if request.method != "GET":
                raise
            return super().handle_request(request)


class Environment:
    def __init__(self, client: httpx.Client, url: str, name: str, settings: dict[str, str]) -> None:
        self.client = client
        it = {key.removeprefix("unified_profiles_"): value for key, value in settings.items()}
        self.segment = f"{url}/segment/{it['segment_region']}"
        self.bearer = {"authorization": f"Bearer {it['segment_token']}"}
        self.gateway = f"{url}/handover/{name}"
        self.gateway_bearer = {"authorization": f"Bearer {it['gateway_token']}"}
        self.twilio = (it["twilio_api_key"], it["twilio_api_secret"])
        self.url, self.name, self.it = url, name, it

    def check(self, *steps: str) -> None:
        it = self.it
        profile = f"{self.url}/profiles/{it['segment_region']}/v1/spaces/{it['space_id']}/collections/users/profiles"
        with ThreadPoolExecutor(4 + len(steps)) as pool:
            answers = [
                pool.submit(self.client.get, f"{self.segment}/", headers=self.bearer),
                pool.submit(self.client.get, f"{self.segment}/spaces/{it['space_id']}", headers=self.bearer),
                pool.submit(self.client.get, f"{profile}/user_id:nobody/metadata", auth=(it["profile_token"], "")),
                pool.submit(self.client.get, f"{self.url}/twilio/flex/v1/Configuration", auth=self.twilio),
            ]
            self.seen = dict(zip(steps, pool.map(self.read, steps)))
        assert [answer.result().status_code for answer in answers] == [200, 200, 404, 200]

    def read(self, step: str) -> dict:
        return self.client.get(f"{self.gateway}/{step}", headers=self.gateway_bearer).json()

    def hand_over(self, step: str, value: str, body: dict, field: str) -> bool:
        if self.seen[step][field] == value:
            return False
        with ThreadPoolExecutor(1) as pool:
            rival = pool.submit(self.sources) if step == "connection" else None
            stands = self.read(step)[field] == value
        if stands:
            return False
        assert rival is None or rival.result().get("data")
        self.client.post(f"{self.gateway}/{step}", headers=self.gateway_bearer, json=body).raise_for_status()
        assert self.read(step)[field] == value
        return True

    def sources(self) -> dict:
        return self.client.get(f"{self.segment}/sources?pagination.count=200", headers=self.bearer).json()

    def one_source(self, source_id: str) -> httpx.Response:
        return self.client.get(f"{self.segment}/sources/{source_id}", headers=self.bearer)

    def source(self) -> dict:
        found = next((source for source in self.sources()["data"]["sources"] if source["name"] == NAME), None)
        if not found:
            body = {"slug": NAME, "enabled": True, "metadataId": "V6ynUvQgbc", "disconnectAllWarehouses": True}
            found = self.client.post(f"{self.segment}/sources", headers=self.bearer, json=body).json()["data"]["source"]
        labels = [{"key": "managed-by", "value": "ansible"}]
        if found["labels"] != labels:
            url = f"{self.segment}/sources/{found['id']}/labels"
            self.client.put(url, headers=self.bearer, json={"labels": labels}).raise_for_status()
        return found

    def run(self, playbook: str) -> None:
        self.check(*(STEPS if playbook == "connect" else STEPS[1:]))
        if playbook == "connect":
            names = ("space_id", "profile_token")
            form = {"friendly_name": self.name, "allow_write_events": True, **{name: self.it[name] for name in names}}
            token = fingerprint(form["profile_token"])
            if self.hand_over("connection", token, form, "profile_token_fingerprint"):
                self.seen = {step: {"source_id": None, "write_key_fingerprint": None} for step in STEPS}
        else:
            self.sources()
            self.one_source(self.seen["link"]["source_id"])  # the answer says that it is gone
            audit = f"{self.segment}/audit-events?startTime=2026-01-01T00:00:00Z"
            self.client.get(audit, headers=self.bearer).raise_for_status()
        source = self.source()
        link = {"space_id": self.it["space_id"], "source_id": source["id"]}
        self.hand_over("link", source["id"], link, "source_id")
        key = source["writeKeys"][0]
        if playbook == "recover":
            key = self.one_source(source["id"]).json()["data"]["source"]["writeKeys"][0]
        self.hand_over("key", fingerprint(key), {"write_key": key}, "write_key_fingerprint")
        for kept_by in ("destinations", "warehouses"):
            self.client.get(
                f"{self.segment}/sources/{source['id']}/connected-{kept_by}", headers=self.bearer
            ).raise_for_status()
        alerts = f"{self.url}/twilio/monitor/v1/Alerts?LogLevel=error&PageSize=100"
        assert self.client.get(alerts, auth=self.twilio).json()["alerts"] == []


def main() -> None:
    playbook, inventory, url, *ca_file = sys.argv[1:]
    hosts = yaml.safe_load((Path(inventory) / "hosts.yml").read_text())["unified_profiles"]["hosts"]
    verify = ssl.create_default_context(cafile=ca_file[0]) if ca_file else ssl.create_default_context()
    transport = OnceMore(verify=verify)
    with httpx.Client(transport=transport, trust_env=False, timeout=60) as client, ThreadPoolExecutor(FORKS) as pool:
        environments = [Environment(client, url, name, settings) for name, settings in hosts.items()]
        list(pool.map(lambda environment: environment.run(playbook), environments))


if __name__ == "__main__":
    main()
