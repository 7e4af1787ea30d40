"""Text from files and names reaches every output only escaped for it."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from rich.console import Console

import losscli as package
from losscli.render import html_of, print_tables

STEERS = "\x1b]52;c;aGk=\x07\x1b[31m\n::add-mask::e\r\n::error::x\x85\u2028##[error]y\u202e\u2066\x9b1m\x7f"
MARKS = "<img src=x> & @user #1 org/x#22 ![a](http://e.org) www.e.org | `c` **b** \"q' $x$ ##vso[task.x]"
HOSTILE = f"=1+1 {MARKS} {STEERS}"
"""What may not reach a reader as it is."""
NAME = HOSTILE.replace("/", "")
"""The same as the name of a file."""
START = f"::error::{HOSTILE}"
"""The same, which begins a line."""


def assert_harmless(text: str, what: str) -> None:
    """Assert that text cannot steer a terminal or whoever reads the log of a job."""
    odd = {sign for sign in text if not (sign.isprintable() or sign == "\n")}
    assert not odd, (what, odd, text)
    commands = [
        line for line in text.split("\n") if line.lstrip().startswith("::") or re.search(r"##\w*\[", line)
    ]
    assert not commands, (what, commands)


@pytest.fixture
def hostile(losscli, monkeypatch):
    """Files in which every name and every value that is text is hostile."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    keys = [f"{HOSTILE}{number}" for number in range(40)]
    slices = [START, HOSTILE] * 20
    numbers = pl.int_range(40, eager=True) * 1.0
    targets = pl.DataFrame({f"id{HOSTILE}": keys, f"y{HOSTILE}": numbers, f"s{HOSTILE}": slices})
    for name, shift in ((NAME, 1.0), (f"b{NAME}", 2.0)):
        frame = pl.DataFrame({f"id{HOSTILE}": keys, f"p{HOSTILE}": numbers + shift})
        frame.write_parquet(f"{name}.parquet", mkdir=False)
    targets.write_parquet(f"t{NAME}.parquet")
    return losscli


COLUMNS = ("-p", f"p{HOSTILE}", "-y", f"y{HOSTILE}", "--on", f"id{HOSTILE}")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def argv(command: str) -> list[str]:
    own = [quoted(each) if not each.startswith("-") else each for each in COLUMNS]
    one, two, targets = (f"{name}{NAME}.parquet" for name in ("", "b", "t"))
    by = ["--by", quoted(f"s{HOSTILE}")]
    gates = ["-g", "mae <= 0.5", "-g", "mae[" + json.dumps(f"s{HOSTILE}") + "=*] <= 0.5"]
    return {
        "evaluate": [one, targets, *own, "-l", "mae", *by, *gates, "--worst", "2", "--domain", "drop"],
        "compare": [one, two, "-t", targets, *own, "-l", "mae", *by, "--changed", "2"],
        "rank": [one, two, f"{targets}", "-t", targets, *own, "-l", "mae", *by],
        "check": [one, targets, *own, "-l", "mae", *by],
        "init": [one, targets, *own, "-l", "mae", *by],
        "explain": ["mae", one, targets, *own],
    }[command]


SUFFIXES = (".txt", ".html", ".md", ".csv", ".json", ".flat.json", ".xml")


@pytest.mark.parametrize("command", ["evaluate", "compare", "rank", "check", "init", "explain"])
def test_every_output_of_a_command_is_harmless(command, hostile, monkeypatch):
    words = argv(command)
    done = hostile(command, *words, "-v")
    assert done.status in (0, 1), done.err
    assert_harmless(done.out, "stdout")
    assert_harmless(done.err, "stderr")
    if command == "init":
        assert_harmless(Path("losscli.toml").read_text().replace("#", ""), "losscli.toml")
    if command in ("check", "init", "explain"):
        return
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    outputs = [word for suffix in SUFFIXES for word in ("-o", f"r{suffix}")]
    done = hostile(command, *words, *outputs, "-o", "github", "-q", "--format", "csv")
    assert done.status in (0, 1), done.err
    assert_harmless(done.out, "stdout")
    annotations = [line for line in done.err.split("\n") if line.startswith("::")]
    assert all(line.startswith(("::error title=losscli gate::", "::warning title=")) for line in annotations)
    assert_harmless("\n".join(line.lstrip(":") for line in done.err.split("\n")), "stderr")
    for suffix in SUFFIXES:
        assert_harmless(Path(f"r{suffix}").read_text(), suffix)
    assert_markdown(Path("r.md").read_text())
    assert_markdown(Path("summary.md").read_text())
    ElementTree.parse("r.xml")
    report = package.load("r.json")
    assert package.Report.from_json(report.to_json()) == report
    models = {f"{name}{NAME}.parquet" for name in ("", "b")}
    if command != "evaluate":
        assert models <= {result.model for result in report.results}
    assert {f"s{HOSTILE}": START} in [result.cell for result in report.results]
    json.loads(Path("r.flat.json").read_text())
    for show in (["r.json", "-v"], ["r.json", "r.json"], ["r.json", "--json"], ["r.json", "--format", "csv"]):
        if len(show) == 2 and show[1] == "r.json":
            Path(f"{NAME}.json").write_text(Path("r.json").read_text())
            show = ["r.json", f"{NAME}.json"]
        done = hostile("show", *show)
        assert done.status == 0, done.err
        assert_harmless(done.out + done.err, f"show {show}")
    assert_terminal(report)
    assert_html(html_of(report))


def assert_markdown(text: str) -> None:
    """Assert that Markdown has no markup but that of the report: no link, HTML, mention or reference."""
    assert_harmless(text, "Markdown")
    without = re.sub(r"`[^`\\]*`", "", re.sub(r"\\.", "", text))
    for mark in ("<", "[", "![", "@", "http://", "www.", "#1", "#2", "`"):
        assert mark not in without, (mark, without)
    starts = {line.split(" ")[0] for line in text.split("\n") if line and not line[0].isalnum()}
    assert starts <= {"###", "|", "-", *(start for start in starts if start.startswith("\\"))}


def assert_html(text: str) -> None:
    """Assert that HTML has the tags of the report alone."""
    assert all(sign.isprintable() or sign == "\n" for sign in text)
    tags = set(re.findall(r"<\s*/?\s*(\w+)", text))
    assert tags <= {
        "div",
        "h4",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "p",
        "ul",
        "li",
        "b",
        "span",
        "wbr",
        "svg",
        "line",
        "circle",
    }
    for drawing in re.findall(r"<(?:svg|line|circle)\b[^>]*>", text):
        names = set(re.findall(r"([\w-]+)=", drawing))
        assert names <= {
            "style",
            "opacity",
            "stroke",
            "fill",
            "r",
            "cx",
            "cy",
            "x1",
            "x2",
            "y1",
            "y2",
            "aria-hidden",
        }
        assert "url" not in drawing
    assert "<img" in html.unescape(text)


def assert_terminal(report: package.Report) -> None:
    """Assert that a terminal gets the sequences for colours alone."""
    file = io.StringIO()
    print_tables(
        report, Console(file=file, force_terminal=True, width=60, color_system="standard"), verbose=True
    )
    assert_harmless(re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue()), "terminal")


WRONG = (
    ["evaluate", f"no{NAME}.csv"],
    ["evaluate", f"{NAME}.parquet", f"t{NAME}.parquet"],
    ["evaluate", f"{NAME}.parquet", f"t{NAME}.parquet", "-p", HOSTILE],
    ["evaluate", f"{NAME}.parquet", f"t{NAME}.parquet", *COLUMNS, "-l", HOSTILE],
    ["evaluate", f"{NAME}.parquet", "-l", f"expr: {HOSTILE}"],
    ["evaluate", f"{NAME}.parquet", "-l", f"{NAME}.py:f"],
    ["evaluate", f"{NAME}.parquet", "-g", HOSTILE],
    ["evaluate", f"{NAME}.parquet", "--where", HOSTILE],
    ["evaluate", f"{NAME}.parquet", "--by", HOSTILE],
    ["evaluate", f"{NAME}.parquet", "--device", HOSTILE],
    ["evaluate", f"{NAME}.parquet", f"--{HOSTILE}"],
    ["evaluate", f"{NAME}.parquet", "-o", HOSTILE],
    ["evaluate", f"{NAME}.parquet", "--rows", f"{NAME}/x.csv"],
    ["evaluate", f"{NAME}.parquet", "-c", NAME],
    ["evaluate", f"{NAME}.parquet", "--baseline", f"git:{HOSTILE}:{HOSTILE}", "-g", "mae <= base"],
    ["evaluate", f"https://{HOSTILE}/x.csv"],
    ["gate", f"{NAME}.json", "-g", "mae < 1"],
    ["show", f"{NAME}.json"],
    ["explain", HOSTILE],
    ["explain", "--search", HOSTILE],
    ["rank", f"{NAME}*", "-t", f"no{NAME}"],
    [HOSTILE],
)


@pytest.mark.parametrize("debug", [False, True])
def test_messages_are_harmless(debug, hostile):
    Path(f"{NAME}.json").write_text(json.dumps({"schema": 1, HOSTILE: HOSTILE, "results": HOSTILE}))
    for words in WRONG:
        done = hostile(*words, *(["--debug"] if debug else []))
        assert done.status in (2, 3), (words, done)
        assert_harmless(done.out + done.err, str(words))
        if not debug:
            assert all(
                line.startswith(("losscli: error: ", "  ")) for line in done.err.rstrip("\n").split("\n")
            )


def test_settings_are_shown_harmless(hostile):
    hostile.write(
        losscli_toml=f"{json.dumps(HOSTILE)} = 1\n{json.dumps(START)} = 1\nloss = {json.dumps(HOSTILE)}\n"
    )
    done = hostile("evaluate", *argv("evaluate"))
    assert done.status == 2
    assert_harmless(done.err, "settings")
    gates = "".join(
        f"[[gate]]\ncheck = {json.dumps(check)}\nname = {json.dumps(name)}\n"
        for check, name in (("mae <= 0.5", START), ("mae <= 9", HOSTILE))
    )
    hostile.write(losscli_toml=gates)
    words = argv("evaluate")
    done = hostile("evaluate", *words[: words.index("-g")], "-o", "r.md", "-o", "r.xml", "-o", "r.txt", "-v")
    assert done.status == 1, done.err
    assert_harmless(done.out + done.err, "gates")
    for name in ("r.md", "r.xml", "r.txt"):
        assert_harmless(Path(name).read_text(), name)
    assert_markdown(Path("r.md").read_text())


OWN = '''
from losscli.custom import Regression

def own(batch: Regression):
    """{text}

    l = {text}

    {text}
    """
    return batch.abs_error

def wrong(batch: Regression):
    raise ValueError({text!r})
'''


def test_custom_losses_are_shown_harmless(hostile, monkeypatch):
    words = argv("evaluate")[:8]
    text = HOSTILE.replace("\n", " ").replace('"', "")
    Path(f"{NAME}.py").write_text(OWN.format(text=text.replace("\\", "")))
    for loss in (f"{NAME}.py:own", f"{NAME}.py:wrong", "expr: e # " + HOSTILE):
        for command in (
            ["evaluate", *words[:-2], "-l", loss],
            ["explain", loss],
            ["explain", loss, "--json"],
        ):
            done = hostile(*command)
            assert_harmless(done.out + done.err, str(command))
            monkeypatch.setenv("FORCE_COLOR", "1")
            assert_harmless(re.sub(r"\x1b\[[0-9;]*m", "", hostile(*command).out), str(command))
            monkeypatch.delenv("FORCE_COLOR")


def test_labels_are_shown_harmless(losscli):
    labels = [START, HOSTILE, "c"] * 10
    frame = pl.DataFrame({"label": labels, "prediction": labels[1:] + labels[:1]})
    frame.write_parquet("p.parquet")
    done = losscli(
        "evaluate", "p.parquet", "-v", "-o", "r.md", "-o", "r.csv", "-o", "r.json", "-l", "zero_one"
    )
    assert done.status == 0, done.err
    assert_harmless(done.out + done.err, "labels")
    for name in ("r.md", "r.csv", "r.json"):
        assert_harmless(Path(name).read_text(), name)
    assert_markdown(Path("r.md").read_text())
    for row in csv.reader(io.StringIO(Path("r.csv").read_text())):
        assert len(row) == len(package.load("r.json").results[0].__struct_fields__)


def test_json_holds_what_it_escapes(hostile):
    report = json.loads(hostile("evaluate", *argv("evaluate"), "--json").out)
    assert START in {value for result in report["results"] for value in result["cell"].values()}


FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\uff1d1+1", "-2.5", "plain")


def test_a_spreadsheet_runs_no_name_of_a_leaderboard(losscli):
    target = pl.DataFrame({"id": [1, 2], "target": [1.0, 2.0]})
    losscli.write(t=target)
    for number, name in enumerate(FORMULAS):
        target.select("id", prediction=pl.col("target") + number).write_csv(f"{name}.csv")
    names = ["--", *(f"{name}.csv" for name in FORMULAS)]
    options = ["-t", "t.csv", "-l", "mae", "-l", "expr: -e", "--no-config"]
    escaped = {f"'{name}.csv" if name not in ("plain",) else "plain.csv" for name in FORMULAS}

    def models(text: str) -> set[str]:
        return {row["model"] for row in csv.DictReader(io.StringIO(text))}

    done = losscli("rank", *options, "-o", "board.csv", "--format", "csv", *names)
    assert done.status == 0, done.err
    assert models(Path("board.csv").read_text()) == escaped
    assert models(done.out) == {f"{name}.csv" for name in FORMULAS}
    assert models(losscli("rank", *options, "--format", "csv", "--no-formulas", *names).out) == escaped
    losscli("rank", *options, "-o", "board.csv", "--formulas", *names)
    assert models(Path("board.csv").read_text()) == {f"{name}.csv" for name in FORMULAS}


def test_numbers_are_no_formulas(losscli):
    losscli.write(p="id,prediction\n1,0.5\n2,1\n", t="id,target\n1,1\n2,2\n")
    assert losscli("evaluate", "p.csv", "t.csv", "-l", "expr: p - y", "-o", "r.json").status == 0
    argv = ["show", "r.json", "--format", "csv"]
    assert losscli(*argv, "--no-formulas").out == losscli(*argv).out
    assert ",-0.75," in losscli(*argv).out
