# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """PRIVATE to this collection. Options that every module takes, said once; the argument specification is CONNECTION_OPTIONS in _module/options.py."""

    DOCUMENTATION = r"""
requirements:
  - httpx >= 0.27, < 1
notes:
  - The result of a task that failed has C(failure), with C(kind) and C(next_step). For an answer of a service it has C(service), C(status),
    C(code), C(request_id), C(method) and C(path) as well.
options:
  settings:
    description:
      - Whether to take each option that is not given from the variable of its name, with C(unified_profiles_) before it. These are the
        variables of the role C(flexops.unified_profiles.settings), and they are checked as that role checks them.
      - It works where the action plugin runs, which is always the controller.
    type: bool
    default: false
  segment_token:
    description:
      - Segment Public API token of the workspace. Needed by whatever reads or writes sources and spaces.
      - If not set, the environment variable E(SEGMENT_TOKEN) is used.
      - An empty value wins over the environment variable of its option; so it is for all options. What is null is not set.
    type: str
  segment_region:
    description:
      - Where the workspace lives. The regions do not know each other's tokens.
      - If not set, the environment variable E(SEGMENT_REGION) is used.
    type: str
    choices: [us, eu]
    default: us
  segment_api_url:
    description:
      - Overrides the base URL of the Segment Public API. C({region}) in it is replaced by the region.
      - If not set, the environment variable E(SEGMENT_API_URL) is used.
    type: str
  profile_api_url:
    description:
      - Overrides the base URL of the Segment Profile API. C({region}) in it is replaced by the region.
      - If not set, the environment variable E(SEGMENT_PROFILE_API_URL) is used.
    type: str
  tracking_api_url:
    description:
      - Overrides the base URL of the Segment Tracking API. C({region}) in it is replaced by the region.
      - If not set, the environment variable E(SEGMENT_TRACKING_API_URL) is used.
    type: str
  twilio_account_sid:
    description:
      - Twilio Account SID, V(AC) and 32 hexadecimal digits.
      - If not set, the environment variable E(TWILIO_ACCOUNT_SID) is used.
    type: str
  twilio_api_key:
    description:
      - SID of a Twilio API key, V(SK) and 32 hexadecimal digits. Preferred over the auth token.
      - If not set, the environment variable E(TWILIO_API_KEY) is used.
    type: str
  twilio_api_secret:
    description:
      - Secret of the API key. If not set, the environment variable E(TWILIO_API_SECRET) is used.
    type: str
  twilio_auth_token:
    description:
      - Auth token of the account, used where no API key is given. An empty API key wins over the environment's token.
      - If not set, the environment variable E(TWILIO_AUTH_TOKEN) is used.
    type: str
  twilio_region:
    description:
      - Twilio region, such as V(ie1). If not set, the environment variable E(TWILIO_REGION) is used.
    type: str
  twilio_edge:
    description:
      - Twilio edge, such as V(dublin). Without O(twilio_region) it is taken with the region V(us1), as Twilio's own libraries do.
      - If not set, the environment variable E(TWILIO_EDGE) is used.
    type: str
  flex_url:
    description:
      - Overrides the base URL of the Twilio Flex API. If not set, the environment variable E(TWILIO_FLEX_URL) is used.
    type: str
  monitor_url:
    description:
      - Overrides the base URL of the Twilio Monitor API.
      - If not set, the environment variable E(TWILIO_MONITOR_URL) is used.
    type: str
  accounts_url:
    description:
      - Overrides the base URL of C(api.twilio.com), where the name of the account is read for task cards.
      - If not set, the environment variable E(TWILIO_ACCOUNTS_URL) is used.
    type: str
  preview_url:
    description:
      - Overrides the base URL of C(preview.twilio.com), which only the undocumented connector read uses.
      - If not set, the environment variable E(TWILIO_PREVIEW_URL) is used.
    type: str
  sync_url:
    description:
      - Overrides the base URL of the Twilio Sync API. If not set, the environment variable E(TWILIO_SYNC_URL) is used.
    type: str
  sandbox_url:
    description:
      - Base URL of a sandbox, to which every request goes instead of the real services, whatever the other URL options say.
    type: str
  validate_certs:
    description: Whether to check the servers' certificates.
    type: bool
    default: true
  ca_path:
    description:
      - File or folder of certificates to trust instead of the default ones.
      - If not set, the environment variable E(SSL_CERT_FILE) is used.
    type: path
  proxy:
    description:
      - URL of a proxy, such as V(http://proxy.example.com:3128). Without a scheme it is taken as http.
      - If not set, the environment variables E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY) count, in lower case before upper case.
      - Loopback addresses are never reached through a proxy.
    type: str
  timeout:
    description: How many seconds one request may take in all.
    type: float
    default: 30.0
  retry_budget:
    description:
      - How many seconds the task may lose to failed attempts and to waits that a server requests.
      - With V(0) nothing is tried again.
    type: float
    default: 60.0
"""
