"""Pages in a browser: nothing is fetched, no text from files is run, tables sort and search."""

import html
import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace
from render.test_page import EVALUATED, HARMFUL, HOSTILE, cells, compared, ranked, result
from support.pages import with_charts

from losscli.report.model import Report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--log-level=0")
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
"""What a page forbids; a page without it shows what would happen in a browser that ignores it."""


class Browser:
    """Headless Chromium, which opens files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, page: str, *options: str) -> tuple[str, list[str]]:
        """What the page has become, and what its console says."""
        path = self.folder / "page.html"
        path.write_text(page, encoding="utf-8")
        done = subprocess.run(
            [str(CHROMIUM), *FLAGS, f"--user-data-dir={self.folder}/profile", *options, path.as_uri()],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=os.environ | {"DBUS_SESSION_BUS_ADDRESS": ""},
        )
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    def found(self, page: str, script: str) -> object:
        """What an expression gives in the page, once it is loaded and its policy is taken away."""
        answer = f"<script>document.title = JSON.stringify({script})</script></body>"
        dom, console = self(POLICY.sub("", page).replace("</body>", answer), "--dump-dom")
        assert not console
        title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
        assert title
        return json.loads(title[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


@pytest.fixture
def browser(tmp_path):
    return Browser(tmp_path)


@cache
def everything_hostile():
    """A page with every section and chart, each full of text that would like to be more."""
    report = with_charts(HARMFUL)
    models = compared(HOSTILE[1])
    others = {"comparisons": models.comparisons, "changed": models.changed, "board": ranked(HOSTILE).board}
    return replace(report, **others).to_html()


def test_a_page_fetches_nothing_and_runs_no_text_from_files(browser):
    page = everything_hostile()
    _, console = browser(page, "--dump-dom")
    assert not console, console  # if a page fetched anything, its policy would say so here
    harm = "[window.harm ?? 0, document.scripts.length, performance.getEntriesByType('resource').length]"
    assert browser.found(page, harm) == [0, 2, 0]


def test_a_policy_forbids_scripts_that_are_not_those_of_the_page(browser):
    page = EVALUATED.to_html().replace("</main>", "<img src=x onerror='document.title=1'></main>")
    dom, console = browser(page, "--dump-dom")
    assert "<title>1</title>" not in dom
    assert console


def test_a_long_table_sorts_and_searches(browser):
    page = Report((result(2.0), *cells([f"slice {n}" for n in range(40)]))).to_html()
    script = """(() => {
      const rows = () => [...document.querySelectorAll("details tbody tr:not([hidden])")];
      const names = count => rows().slice(0, count).map(row => row.cells[0].textContent);
      const press = place => document.querySelectorAll("details thead button")[place].click();
      const field = document.querySelector("details input"), found = [names(2)];
      press(1);
      found.push(names(2));
      press(0), press(0);
      found.push(names(3));
      field.value = "SLICE 3";
      field.dispatchEvent(new Event("input"));
      found.push(names(99));
      return [...found, document.querySelector("[aria-sort]").textContent];
    })()"""
    assert browser.found(page, script) == [
        ["slice 0", "slice 1"],
        ["slice 39", "slice 38"],
        ["slice 0", "slice 1", "slice 2"],
        ["slice 3", *(f"slice {n}" for n in range(30, 40))],
        "region",
    ]


def test_a_page_is_as_wide_as_its_window(browser):
    """In frames, as a window of its own cannot be as narrow as a phone."""
    content = html.escape(POLICY.sub("", everything_hostile()))
    widths = (320, 400, 800, 1600)
    load = "document.title += ' ' + this.contentDocument.documentElement.scrollWidth"
    frames = "".join(
        f'<iframe width="{width}" frameborder="0" srcdoc="{content}" onload="{load}"></iframe>'
        for width in widths
    )
    dom, _ = browser(f"<!doctype html><title></title>{frames}", "--dump-dom", "--hide-scrollbars")
    title = re.search("<title>([^<]*)</title>", dom)
    assert title
    assert sorted(map(int, title[1].split())) == sorted(widths)
