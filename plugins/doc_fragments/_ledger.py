# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """PRIVATE to this collection. Options of every module that uses the ledger; the argument specification is LEDGER_OPTIONS in _handover/ledger_place.py."""

    DOCUMENTATION = r"""
options:
  environment:
    description: Name of the environment in the ledger, usually the inventory host.
    type: str
    required: true
  ledger:
    description:
      - Where the record of hand-overs is kept. It holds no secret.
      - V(file) is a file per environment below O(state_dir), on the controller.
      - V(sync) is a document in Twilio Sync, on the account that O(twilio_account_sid) and its credentials open, one per
        environment. It outlives the job in AWX, where the project folder does not.
    type: str
    choices: [file, sync]
    default: file
  state_dir:
    description:
      - Folder on the controller in which the files of V(ledger=file) are kept, below C(ledger). It has to last.
      - Refused where there is none, and in AWX where the folder is one that AWX throws away when the job ends.
    type: path
  sync_service:
    description:
      - SID or unique name of the Twilio Sync service in which the documents of V(ledger=sync) are kept.
      - The API key needs the permission to read and write Sync documents.
    type: str
    default: default
"""
