# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Twilio Sync API: documents, each with a revision."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._base.errors import ApiError, UnexpectedAnswer
from .._http.response import Response
from .._http.service import Service

# In bytes, of the JSON text (OpenAPI document twilio_sync_v1, parameter Data).
MAX_DATA = 16 * 1024
DOCUMENT = "/v1/Services/{service}/Documents/{name}"


@dataclass(frozen=True)
class Document:
    """A document as it was at one moment.

    Attributes:
        data: What it holds, JSON types.
        revision: Names this state of it; a write may ask that it be the current one.
    """

    data: t.Any
    revision: str


class SyncApi:
    """Sync documents of one account (OpenAPI document twilio_sync_v1). Bodies are forms, with the data as JSON text."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def document(self, service: str, name: str) -> Document | None:
        """The document, or None where there is none (operation FetchDocument).

        Args:
            service: SID or unique name of the Sync service; ``default`` for the account's default one.
            name: Unique name of the document.

        A missing service looks the same as a missing document: see :meth:`check_service`.
        """
        try:
            return _document(self.service.get(DOCUMENT, path_params={"service": service, "name": name}))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def check_service(self, service: str) -> None:
        """See whether the service exists (operation FetchService).

        Raises:
            ApiError: 404: it does not. A key that may use documents, yet not look at services, passes.
        """
        try:
            self.service.get("/v1/Services/{service}", path_params={"service": service})
        except ApiError as error:
            if error.status not in (401, 403):
                raise

    def save(self, service: str, name: str, data: str, revision: str | None, ttl: int | None = None) -> Document:
        """Make the document (operation CreateDocument), or replace its data (operation UpdateDocument).

        Args:
            service: See :meth:`document`.
            name: See :meth:`document`.
            data: JSON text.
            revision: The one that is to be replaced; None where there is no document yet.
            ttl: In how many seconds the document is deleted by itself; never by default.

        Raises:
            ApiError: 409: it exists already. 412: it has another revision meanwhile.
            UnknownOutcome: It may have been written: read it again.
        """
        at = {"service": service, "name": name}
        form = {"Data": data} | ({} if ttl is None else {"Ttl": str(ttl)})
        if revision is None:
            form["UniqueName"] = name
            return _document(
                self.service.request("POST", "/v1/Services/{service}/Documents", form=form, path_params=at)
            )
        headers = {"if-match": revision}
        return _document(self.service.request("POST", DOCUMENT, form=form, headers=headers, path_params=at))

    def delete(self, service: str, name: str) -> None:
        """Delete the document (operation DeleteDocument), if it is there.

        Args:
            service: See :meth:`document`.
            name: See :meth:`document`.
        """
        at = {"service": service, "name": name}
        # 404: it has expired, or an answer was lost and this is sent again.
        self.service.request("DELETE", DOCUMENT, expected=frozenset({204, 404}), path_params=at)


def _document(answer: Response) -> Document:
    # What If-Match takes is the ETag, which packing proxies make a weak one. The body has the same revision.
    revision = answer.headers.get("etag", "").removeprefix("W/") or answer.get("revision", str)
    # It goes into a header, which takes nothing else.
    if not re.fullmatch(r"[\x21-\x7e]{1,200}", revision):
        raise UnexpectedAnswer(
            f"{answer.service} answered {answer.request} with a body of an unexpected shape: 'revision' should be 1 to 200 "
            "visible ASCII characters, and is not.",
            "Check sync_url; if it is right, the API has changed: please report it.",
            service=answer.service,
            status=answer.status,
            field="revision",
        )
    return Document(answer.get("data", dict), revision)
