# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""What the controller's plugins need of Ansible and no public name leads to. Each is tested on every core that is supported."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable, Iterator

from ansible import constants
from ansible.inventory.manager import IGNORED
from ansible.playbook.task import Task


def variables_by_host(hostvars: t.Any, task: Task) -> Callable[[str], dict[str, t.Any]]:
    """Return a function that gives a host's variables as a task of the play has them.

    What hostvars themselves give lacks the variables of the play: ``vars``, ``vars_files`` and ``vars_prompt``.
    """
    manager, inventory = hostvars._variable_manager, hostvars._inventory
    play = task.get_play()
    names = [host.name for host in inventory.get_hosts(play.hosts)]

    def variables(name: str) -> dict[str, t.Any]:
        host = inventory.get_host(name)
        # Without the lists of hosts Ansible would gather them anew for each.
        return t.cast(
            "dict[str, t.Any]", manager.get_vars(play=play, host=host, task=task, _hosts=names, _hosts_all=names)
        )

    return variables


def unread_inventories(hostvars: t.Any) -> list[str]:
    """The inventory files that Ansible could not read in whole: it warns, and goes on with the hosts before the mistake."""
    manager = hostvars._inventory
    read = set(map(str, manager._inventory.processed_sources))
    return [file for source in manager._sources for file in _files(str(source)) if file not in read]


def _files(source: str) -> Iterator[str]:
    if os.path.isfile(source):
        yield source
    elif os.path.isdir(source):
        for name in sorted(os.listdir(source)):
            inner = os.path.join(source, name)
            if os.path.isdir(inner) and not IGNORED.search(os.fsencode(name)):
                yield from _files(inner)
            # Whatever else stands there may be no inventory.
            elif os.path.isfile(inner) and name.endswith(tuple(constants.YAML_FILENAME_EXTENSIONS)):
                yield inner
