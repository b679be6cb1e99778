# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that uses the ledger; the argument specification is LEDGER_OPTIONS in handover/ledger.py."""

    DOCUMENTATION = r"""
options:
  environment:
    description: Name of the environment in the ledger, usually the inventory host.
    type: str
    required: true
  ledger:
    description:
      - Where the record of hand-overs is kept.
      - V(file) is a file per environment below O(state_dir).
    type: str
    choices: [file, sync]
    default: file
  state_dir:
    description:
      - Folder on the controller in which the ledger is kept, one file per environment below C(ledger).
    type: path
  sync_service:
    description: SID or unique name of the Twilio Sync service for V(ledger=sync).
    type: str
    default: default
"""
