"""What CI reads: JUnit XML, summaries and annotations of GitHub, flat metrics; minimum differences."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest
from msgspec.structs import replace

from losscli.render import github, render
from losscli.render.sections.verdicts import worst_first
from losscli.report.findings import Note
from losscli.report.model import Report, Result, Verdict

VERDICTS = (
    Verdict("mae <= 2", "pass", {}, False, 1.0, 2.0, 5.0),
    Verdict("mae[c=*] <= 2", "fail", {"c": 'a&<"b\x07%\n::x::'}, False, 3.0, 2.0, -4.0),
    Verdict("mae[c=*] <= 2", "fail", {"c": "worst"}, False, 9.0, 2.0, -40.0),
    Verdict("mae[c=*] <= 2", "unsure", {"c": "weak"}, True, 2.1, 2.0, -0.5),
    Verdict("mae[c=*] <= 2", "skipped", {"c": "few"}, value=2.0, limit=2.0, reason="fewer than 9 rows"),
    Verdict("mse <= 1", "error", limit=1.0, reason="no loss mse"),
)
RESULTS = (
    Result(loss="mae", value=1 / 3, se=0.5, level=0.95, rows=10, weight=10.0),
    Result(loss="huber", params={"delta": 2.0}, value=None, rows=0, weight=0.0, cell={"c": "cat"}),
)
REPORT = Report(RESULTS, VERDICTS, (Note("missing-value", "3 rows were dropped", 3),))

# From the schema of Jenkins (junit-10.xsd): what each element may hold and carry, and what it must.
SCHEMA = {
    "testsuites": ({"testsuite"}, {"name", "time", "tests", "failures", "disabled", "errors"}, set()),
    "testsuite": (
        {"properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id"},
        {"name"},
    ),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name", "assertions", "time", "classname", "status"},
        {"name"},
    ),
    "skipped": (set(), {"type", "message"}, set()),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


@pytest.mark.parametrize("report", [REPORT, replace(REPORT, gates=()), Report(())])
def test_junit_keeps_to_its_schema(report):
    root = Xml.fromstring(render(report, "junit"))
    assert root.tag == "testsuites"
    for element in root.iter():
        children, attributes, required = SCHEMA[element.tag]
        assert {child.tag for child in element} <= children
        assert required <= set(element.attrib) <= attributes


def test_junit_has_a_case_for_each_verdict():
    root = Xml.fromstring(render(REPORT, "junit"))
    found = [[child.tag for child in case] for case in root.iter("testcase")]
    assert found == [["system-out"], ["failure"], ["failure"], ["skipped"], ["skipped"], ["error"]]
    counts = {"name": "losscli", "tests": "6", "failures": "2", "errors": "1"}
    assert (root.attrib, root[0].attrib) == (counts, counts | {"skipped": "2"})
    messages = [child.get("message") for case in root.iter("testcase") for child in case]
    assert messages[2] == "fail: value 9, limit 2, margin -40 se"
    assert messages[4] == "skipped: value 2, limit 2, fewer than 9 rows"
    assert messages[5] == "error: limit 1, no loss mse"


def test_junit_without_gates_has_skipped_cases():
    root = Xml.fromstring(render(replace(REPORT, gates=()), "junit"))
    [case] = root.iter("testcase")
    assert case.get("name") == "mae"
    assert [(each.tag, each.get("message")) for each in case] == [("skipped", "no gate: value 0.33 ± 0.50")]
    assert root[0].get("tests") == root[0].get("skipped") == "1"


def test_annotations_are_escaped_and_the_worst_come_first():
    lines = github.commands(REPORT).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::error", "::error", "::warning"]
    assert "mse <= 1" in lines[0]
    assert "(c=worst): fail: value 9, limit 2, margin -40 se" in lines[1]
    assert "%25" in lines[2]
    assert "\x07" not in lines[2]


def test_at_most_ten_annotations():
    report = replace(REPORT, gates=VERDICTS[1:2] * 30 + VERDICTS[2:3])
    lines = github.commands(report).splitlines()
    assert len(lines) == 10
    assert "worst" in lines[0]


def test_a_verdict_is_as_bad_as_its_status_then_its_margin():
    assert [v.status for v in worst_first(VERDICTS)] == ["error", "fail", "fail", "unsure", "pass", "skipped"]


@pytest.mark.parametrize(
    ("count", "verdicts", "room"),
    [(200, 2_000, 1 << 17), pytest.param(2_000, 60_000, github.SUMMARY_BYTES, marks=pytest.mark.slow)],
)
def test_a_long_summary_keeps_what_matters_and_says_what_it_leaves_out(count, verdicts, room):
    cells = tuple(replace(RESULTS[1], cell={"c": "x" * 1000 + str(i)}, value=i) for i in range(count))
    gates = (replace(VERDICTS[0], cell={"c": "fine"}),) * verdicts
    text = github.summary(Report((RESULTS[0], *cells), (*gates, VERDICTS[2])), room)
    assert len(text.encode()) < room
    assert "c=worst" in text
    assert "| mae |" in text
    assert f"xx{count - 1} |" in text
    assert f"... {count - 100:,} more; a JSON report has all" in text
    assert f"... {verdicts - 99:,} more; a JSON report has all" in text


def test_a_short_summary_is_the_whole_report():
    assert github.summary(REPORT) == render(REPORT, "markdown")
    assert github.summary(REPORT, max_bytes=10) == ""


def test_a_summary_is_laid_out_once_for_each_length(monkeypatch):
    # A table of overall results has no cells to leave out, so that its shorter forms are the same.
    laid_out = []
    markdown = github.markdown.text
    monkeypatch.setattr(
        github.markdown, "text", lambda document: laid_out.append(document) or markdown(document)
    )
    report = Report(tuple(replace(RESULTS[0], label=f"loss {place}") for place in range(20)))
    room = len(render(report, "markdown").encode())
    assert github.summary(report, room) == ""
    assert len(laid_out) == 1


def test_the_minimum_detectable_difference():
    # (1.959964 + 0.841621) sqrt(2) se: Cohen (1988), Statistical Power Analysis, two groups of one size.
    assert RESULTS[0].minimum_detectable == pytest.approx(2.801585 * 2**0.5 * 0.5, rel=1e-6)
    assert RESULTS[1].minimum_detectable is None
    assert REPORT.to_dict()["results"][0]["minimum_detectable"] == RESULTS[0].minimum_detectable
    assert "80 % power" not in render(REPORT, "table")
    for shown in (render(REPORT, "table", verbose=True), render(REPORT, "markdown")):
        assert (
            "minimum detectable difference, independent sample of the same size, 80 % power: 2.0\n" in shown
        )
