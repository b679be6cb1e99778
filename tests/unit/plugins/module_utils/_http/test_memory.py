# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One look asks the same once."""

from __future__ import annotations

import threading

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base import errors
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.auth import Bearer
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from support.conversation import BASE

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only


class Look:
    def __init__(self, status=200, remember=True):
        self.asked: list[httpx.URL] = []
        self.status, self.go, self.arrived = status, threading.Event(), threading.Event()
        self.go.set()
        over = httpx.MockTransport(self.answer)
        self.transport = Transport(HttpSettings(), http_transport=over, read_only=True, remember=remember)

    def answer(self, request):
        self.asked.append(request.url)
        self.arrived.set()
        assert self.go.wait(20)
        return httpx.Response(self.status, json={"data": len(self.asked)})

    def service(self, token="token", transport=None):
        return Service(
            transport or self.transport,
            "Segment",
            BASE,
            auth=Bearer(Secret(token)),
            credentials="token",
            url_option="url",
        )


def test_the_same_request_is_sent_once():
    look = Look()
    first = look.service().get("/x", {"page": 1})
    assert look.service().get("/x", {"page": 1}) is first
    twin = look.service(transport=look.transport.with_separate_budget())
    assert twin.get("/x", {"page": 1}) is first
    assert len(look.asked) == 1


def test_another_request_is_another_one():
    look = Look()
    look.service().get("/x")
    look.service().get("/x", {"page": 2})
    look.service().get("/y")
    look.service("another token").get("/x")
    look.service().get("/x", headers={"accept": "text/plain"})
    look.service().request("HEAD", "/x")
    assert len(look.asked) == 6
    look.service().get("/x", expected=frozenset({200, 404}))
    assert len(look.asked) == 7, "what is a failure to one is none to the other"


def test_what_need_not_be_remembered_is_sent_again():
    look = Look(remember=False)
    assert look.service().get("/x").body != look.service().get("/x").body


def test_who_may_write_remembers_nothing():
    with pytest.raises(ValueError, match="only what is read"):
        Transport(HttpSettings(), remember=True)


def test_a_failure_is_the_answer_too():
    look = Look(status=404)
    failures = []
    for _time in range(2):
        with pytest.raises(errors.ApiError) as caught:
            look.service().get("/x")
        failures.append(caught.value)
    assert len(look.asked) == 1
    assert failures[0] is not failures[1]
    assert failures[0].as_result() == failures[1].as_result()


@pytest.mark.parametrize("status", [200, 404])
def test_who_asks_at_the_same_time_waits_for_the_first(status):
    look = Look(status)
    look.go.clear()
    came: list[object] = []

    def ask():
        try:
            came.append(look.service().get("/x").body)
        except errors.ApiError as error:
            came.append(error.as_result())

    threads = [threading.Thread(target=ask, daemon=True) for _thread in range(4)]
    for thread in threads:
        thread.start()
    assert look.arrived.wait(20)
    threads[0].join(0.1)
    assert came == []
    look.go.set()
    for thread in threads:
        thread.join(20)
    assert len(look.asked) == 1
    assert len(came) == 4
    assert all(it == came[0] for it in came)


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.Failure)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_failure_can_be_copied(kind):
    look = Look()

    def fail():
        raise kind("What is wrong.", "problem", "The way out.") if kind is errors.OptionError else kind("What.", "Way.")

    with pytest.raises(kind) as first:
        look.transport.memory.once("x", fail)
    with pytest.raises(kind) as second:
        look.transport.memory.once("x", fail)
    assert second.value is not first.value
    assert (str(second.value), second.value.as_result()) == (str(first.value), first.value.as_result())
