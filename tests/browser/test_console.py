# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A person carries the three hand-overs out by clicking, in a real browser, with the vendor's labels only."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import environment_status
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._pages import Run, report_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.newest_only,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium (Debian: chromium and chromium-driver)"),
]
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1200,900"
).split()
NAME = "twilio-unified-profiles"


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"]:
        options.add_argument(flag)
    # Neither the driver nor the way to it is looked for on the network.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    service = webdriver.ChromeService(DRIVER, env=environment)
    found = webdriver.Chrome(options, service)
    # A click does not wait for the page that it leads to.
    found.implicitly_wait(20)
    yield found
    found.quit()


class Person:
    """Finds things as a person does: by what is written on them."""

    def __init__(self, driver, url):
        self.driver, self.url = driver, url

    def opens(self, path):
        self.driver.get(self.url + path)

    def field(self, label):
        return self.driver.find_element("xpath", f"//*[@id=//label[normalize-space()='{label}']/@for]")

    def types(self, label, text):
        self.field(label).send_keys(text)

    def selects(self, label, text):
        from selenium.webdriver.support.ui import Select

        (found,) = [
            one for one in Select(self.field(label)).options if re.fullmatch(rf"{re.escape(text)}( \(.*\))?", one.text)
        ]
        found.click()

    def ticks(self, label):
        self.driver.find_element("xpath", f"//label[normalize-space()='{label}']/input").click()

    def clicks(self, text):
        """The last thing of this name, of several: the one inside what was opened before."""
        shown = [
            found
            for found in self.driver.find_elements(
                "xpath", f"//*[self::button or self::summary or self::a][normalize-space()='{text}']"
            )
            if found.is_displayed()
        ]
        shown[-1].click()

    def copies(self, what):
        return self.driver.find_element("css selector", f"[aria-label='{what}']").get_attribute("value")

    def reads(self, role):
        return self.driver.find_element("css selector", f"[role={role}]").text


@pytest.fixture
def person(driver, sandbox):
    return Person(driver, sandbox.url)


def connects(person, friendly_name="Flex"):
    person.opens("/console/dev")
    space, token = person.copies("Space ID"), person.copies("Access token")
    person.opens("/console/dev/connection")
    person.types("Connection friendly name", friendly_name)
    person.types("Segment Unify space ID", space)
    person.types("Profile API access token", token)
    person.ticks("Allow Unified Profiles to write events to Segment")
    person.clicks("Connect")
    assert person.reads("status") == "Connected."


def test_the_connection_form_does_what_the_vendors_does(person, sandbox):
    connects(person)
    env = sandbox.world.environments["dev"]
    (source,) = [s for s in env.sources.values() if s.name == NAME]
    assert (source.slug, env.linked, env.flex_key) == (NAME.replace("-", "_"), [source.id], source.keys[0])


def test_without_consent_nothing_is_connected(person, sandbox):
    """Without consent nothing is connected and nothing typed is lost."""
    person.opens("/console/dev/connection")
    for label in ("Connection friendly name", "Segment Unify space ID", "Profile API access token"):
        person.types(label, "typed")
    person.clicks("Connect")
    assert "Allow Unified Profiles to write events to Segment" in person.reads("alert")
    # Whoever cannot see the page is reported at once.
    assert person.driver.switch_to.active_element.get_attribute("role") == "alert"
    assert person.driver.title.startswith("Error: ")
    assert person.field("Segment Unify space ID").get_attribute("value") == "typed"
    assert sandbox.world.environments["dev"].connection == {}


def test_a_deleted_source_is_recovered_by_clicking(person, sandbox):
    """The vendor's recipe for a deleted source, from + Add source to Save."""
    connects(person)
    sandbox.sabotage("dev", "delete-source")
    person.opens("/console/dev/sources")
    person.clicks("+ Add source")
    person.selects("Catalog", "Java")
    person.types("Name", NAME)
    person.clicks("Add Source")
    key = person.copies(f"Write key of {NAME}")
    person.opens("/console/dev/link")
    person.clicks("Connect source")
    person.selects("Source", NAME)
    person.clicks("Connect source")
    assert NAME in person.reads("status")
    person.opens("/console/dev/key")
    person.clicks("Update key")
    person.types("Flex source write key", key)
    person.clicks("Save")
    assert "Saved" in person.reads("status")
    env = sandbox.world.environments["dev"]
    (source,) = [s for s in env.sources.values() if s.name == NAME]
    assert (env.linked, env.flex_key) == ([source.id], source.keys[0])
    # And it works: agents' engagements reach the space.
    person.opens("/console/dev")
    person.clicks("Wrap up 5 engagements")
    assert "wrapped up" in person.reads("status")
    assert "Flex - Engagement Completed" in env.in_space


ATTACK = """
<form method="post" action="{url}/console/dev/key"><input name="write_key" value="{key}"></form>
<script>
  fetch("{url}/_sandbox/clock", {{method: "POST", mode: "no-cors", body: '{{"advance": 3600}}'}})
    .finally(() => document.forms[0].submit());
</script>
"""


def test_a_page_of_somebody_elses_changes_nothing(person, sandbox, tmp_path):
    before = sandbox.world.offset
    (tmp_path / "attack.html").write_text(ATTACK.format(url=sandbox.url, key="k" * 32))
    person.driver.get((tmp_path / "attack.html").as_uri())
    # The form was sent, and refused: the browser shows the answer.
    assert "A web page of another origin" in person.driver.find_element("xpath", "//pre[contains(., 'origin')]").text
    assert (sandbox.world.environments["dev"].flex_key, sandbox.world.offset) == (None, before)
    # What the browser complained of is read, so that the next test does not see it.
    assert person.driver.get_log("browser")


def test_no_page_shows_it_in_a_frame(person, tmp_path):
    (tmp_path / "frame.html").write_text(f"<iframe src='{person.url}/console/dev'></iframe>")
    person.driver.get((tmp_path / "frame.html").as_uri())
    person.driver.switch_to.frame(0)
    assert person.driver.find_element("css selector", "body").text.count("Simulation") == 0
    person.driver.switch_to.default_content()
    assert "frame-ancestors" in str(person.driver.get_log("browser"))


def test_every_page_is_marked_and_fits_a_phone(person, sandbox):
    """Every page says that it is a simulation and fits a phone."""
    connects(person)
    person.driver.set_window_size(390, 844)
    try:
        for page in (*PAGES, "/nowhere"):
            person.opens("/console" + page)
            assert "Simulation." in person.driver.find_element("css selector", ".simulation").text
            wide = person.driver.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, page
            bare = person.driver.execute_script(
                "return [...document.querySelectorAll('input, select')].filter(i => !i.labels.length && !i.ariaLabel).length"
            )
            assert bare == 0, page
            # That a page answered 404 is in the log as well.
            assert [entry for entry in person.driver.get_log("browser") if entry["source"] != "network"] == [], page
    finally:
        person.driver.set_window_size(1200, 900)


PAGES = ("/", "/dev", "/dev/connection", "/dev/sources", "/dev/link", "/dev/key")
# The contrast of WCAG 2.1 (1.4.3, 1.4.11): 4.5 for words, 3 for edges of fields.
FAINT = """
const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
const light = (color) => numbers(color).slice(0, 3).map((v) => v / 255)
  .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const color = getComputedStyle(element).backgroundColor;
    if (numbers(color)[3] !== 0) return color;
  }
  return canvas;
};
const probe = document.body.appendChild(document.createElement("div"));
probe.style.background = "Canvas";
const canvas = getComputedStyle(probe).backgroundColor;
probe.remove();
const contrast = (color, element, ground) => {
  const share = Number(getComputedStyle(element).opacity), back = numbers(ground);
  const seen = numbers(color).slice(0, 3).map((v, i) => v * share + back[i] * (1 - share));
  const [high, low] = [light(`rgb(${seen})`), light(ground)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};
const faint = [];
for (const element of document.querySelectorAll("body *")) {
  const style = getComputedStyle(element);
  const texts = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if ((texts || element.matches("input, select")) && element.checkVisibility() && !element.closest("script, .hidden")) {
    const found = contrast(style.color, element, behind(element));
    if (found < 4.5) faint.push(`${element.outerHTML.slice(0, 80)}: ${found}`);
  }
  if (element.matches("input:not([type=checkbox]), select") && element.checkVisibility()) {
    const found = contrast(style.borderTopColor, element, behind(element.parentElement));
    if (found < 3) faint.push(`edge of ${element.outerHTML.slice(0, 80)}: ${found}`);
  }
}
return faint;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_stands_out_enough(person, scheme):
    connects(person)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    person.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        for page in PAGES:
            person.opens("/console" + page)
            person.driver.execute_script("document.querySelectorAll('details').forEach((one) => one.open = true)")
            assert person.driver.execute_script(FAINT) == [], page
    finally:
        person.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("page", PAGES)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(person, page):
    from selenium.webdriver.common.keys import Keys

    connects(person)
    person.opens("/console" + page)
    person.driver.execute_script("document.querySelectorAll('details').forEach((one) => one.open = true)")
    things = person.driver.find_elements("css selector", "a, button, summary, input, select")
    for thing in things:
        person.driver.switch_to.active_element.send_keys(Keys.TAB)
        focused = person.driver.switch_to.active_element
        assert focused == thing
        assert focused.value_of_css_property("outline-style") == "solid"


def test_ticking_in_the_report_builds_the_command_that_confirms(driver, project):
    """Ticks attest nothing: they only put a command together, which then does."""
    project.run("connect", "-e", "unified_profiles_channel=operator")
    driver.get((project.inventory / ".unified_profiles/report.html").as_uri())
    cards = {card.get_attribute("data-environment"): card for card in driver.find_elements("css selector", ".card")}
    assert set(cards) == {"dev", "prod", "eu"}
    for name in ("dev", "eu"):
        tick = cards[name].find_element("css selector", ".tick input")
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", tick)
        tick.click()
    driver.find_element("id", "by").send_keys('O\'Neil "jane"')
    *_run, _option, confirm, _option, by = shlex.split(driver.find_element("id", "command").text)
    digests = {project.ledger(name)["connection"]["asked"]["digest"] for name in ("dev", "eu")}
    assert confirm.startswith("unified_profiles_confirm=")
    assert {*confirm.partition("=")[2].split(",")} == digests
    assert json.loads(by) == {"unified_profiles_confirmed_by": 'O\'Neil "jane"'}
    assert "done" not in project.ledger("dev")["connection"]
    assert driver.get_log("browser") == []


def test_the_report_on_a_thousand_environments_can_be_read_and_filtered(driver, tmp_path):
    said = {step: {"verdict": "proven", "reason": "r"} for step in ("connection", "link", "key")}
    before = {"status": "well", "since": "2026-11-01T00:00:00Z", "first_seen": "", "last_well": "", "differences": []}
    known = {"expected": "a", "found": "b", "since": "", "by": "jane", "mend": "connect", "accepted": ""}
    looks = {f"customer-{number:04}": {"verdicts": said, "seen": before} for number in range(1000)}
    looks["customer-0500"] |= {"differences": [{"attribute": "name", **known}]}
    looks["customer-0900"] = {"failure": "HTTP 401: refused.", "seen": {**before, "status": "failed"}}
    looks["customer-0700"] |= {"credentials": {"segment_token": "3f29a1b07c55"}}
    looks["customer-0800"] |= {"credentials": {"segment_token": "a3d61230a7fb"}}
    outcomes = {name: environment_status(look, False, playbook="drift") for name, look in looks.items()}
    (tmp_path / "report.html").write_text(report_html(outcomes, Run("drift", "2026-11-24T10:02:31Z")))

    def shown():
        rows = driver.find_elements("css selector", "#environments tr[data-status]:not([hidden]) th")
        return [row.text for row in rows[:3]]

    for width in (390, 1280):
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get((tmp_path / "report.html").as_uri())
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    for scheme in ("light", "dark"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        assert driver.execute_script(FAINT)[:5] == [], scheme
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    # What changed comes first, though something else is worse.
    assert shown() == ["customer-0500", "customer-0900", "customer-0000"]
    driver.find_element("css selector", ".filter[data-status=failed]").click()
    assert shown() == ["customer-0900"]
    driver.find_element("css selector", ".filter[data-changed]").click()
    assert shown() == ["customer-0500", "customer-0900"]
    find = driver.find_element("id", "find")
    find.send_keys("401")
    assert (shown(), driver.find_element("id", "shown").text) == (["customer-0900"], "1 of 1000 shown")
    sections = [it.text for it in driver.find_elements("css selector", ".environment:not([hidden]) h2")]
    assert sections == ["customer-0900 failed"]
    find.send_keys(" nothing")
    assert driver.find_element("id", "none").is_displayed()
    driver.find_element("css selector", ".filter[data-status=failed]").click()
    driver.find_element("css selector", ".filter[data-changed]").click()
    find.clear()
    find.send_keys("3f29a1b07c55")
    tokens = driver.find_elements("css selector", ".more tbody tr:not([hidden]) th")
    assert (shown(), [row.text for row in tokens]) == (["customer-0700"], ["customer-0700"])
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert driver.get_log("browser") == []
