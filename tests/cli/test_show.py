"""losscli show: saved reports as tables, alone or side by side."""

from __future__ import annotations

import json

import pytest

TARGETS = "id,y,region\n" + "".join(f"{i},{i},{'eu' if i % 2 else 'us'}\n" for i in range(40))


def predictions(shift: float) -> str:
    return "id,pred\n" + "".join(f"{i},{i + shift * (i % 5)}\n" for i in range(40))


@pytest.fixture
def program(losscli):
    losscli.write(t=TARGETS, a=predictions(0.5), b=predictions(0.25))
    for model in "ab":
        losscli("evaluate", f"{model}.csv", "t.csv", "-l", "mae", "--by", "region", "-o", f"{model}.json")
    return losscli


def test_one_report_is_shown_as_it_was(program):
    evaluated = program("evaluate", "a.csv", "t.csv", "-l", "mae", "--by", "region")
    done = program("show", "a.json")
    assert (done.status, done.out) == (0, evaluated.out)


def test_gates_are_shown_and_not_judged(program):
    assert program("evaluate", "a.csv", "t.csv", "-l", "mae", "-g", "mae <= 0", "-o", "g.json").status == 1
    done = program("show", "g.json")
    assert done.status == 0
    assert "mae <= 0" in done.out


def test_every_format_of_a_report(program):
    saved = json.loads((program.folder / "a.json").read_text())
    assert json.loads(program("show", "a.json", "--json").out) == saved
    assert program("show", "a.json", "--format", "csv", "-q").out.startswith("loss,label,params")
    program("show", "a.json", "-o", "a.md")
    assert "| ---: |" in (program.folder / "a.md").read_text()


def test_several_reports_stand_side_by_side(program):
    done = program("show", "a.json", "b.json")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "overall"
    assert lines[1].split() == ["loss", "a", "b", "difference"]
    assert lines[3].split()[1] == "1.00"
    assert lines[3].split()[-3:] == ["-0.50", "±", "0.13"]
    by_region = lines[lines.index("mae by region") + 1 :]
    assert by_region[0].split() == ["region", "a", "b", "difference"]
    assert {line.split()[0] for line in by_region[2:4]} == {"eu", "us"}
    assert "losscli compare" in done.out


def test_one_loss_by_two_names_is_one_row(program):
    program("evaluate", "b.csv", "t.csv", "-l", "mean_absolute_error", "-o", "n.json")
    overall, *_ = program("show", "a.json", "n.json").out.split("\n\n")
    (row,) = overall.splitlines()[3:]
    assert row.split()[1::3] == ["1.00", "0.500", "-0.50"]


def test_the_first_report_may_lack_results(program):
    program("evaluate", "b.csv", "t.csv", "-l", "mae", "-l", "rmse", "-o", "c.json")
    lines = program("show", "a.json", "c.json", "--format", "markdown").out.splitlines()
    (row,) = (line for line in lines if "rmse" in line or "root" in line)
    assert [cell.strip() for cell in row.split("|")[2:-1]][::2] == ["-", "-"]


def test_reports_of_other_targets_have_no_difference(program):
    program.write(u=TARGETS.replace("39,39,", "39,38,"))
    program("evaluate", "b.csv", "u.csv", "-l", "mae", "-o", "u.json")
    done = program("show", "a.json", "u.json")
    assert "difference" not in done.out
    assert "u is not compared with a: other targets" in done.out


def test_reports_of_other_options_have_no_difference(program):
    program("evaluate", "b.csv", "t.csv", "-l", "mae", "--where", "pred > 3", "-o", "w.json")
    shown = program("show", "a.json", "w.json").out
    assert "w is not compared with a: other targets, where pred > 3 and none" in shown


def test_a_file_of_several_reports(program):
    assert program("show", "a.json", "b.json", "-o", "both.md").status == 0
    assert "| a | b | difference |" in (program.folder / "both.md").read_text()


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [
        ((), 2, ("no report", "losscli show report.json")),
        (("a.json", "a.json"), 2, ("given twice",)),
        (("a.json", "b.json", "--json"), 2, ("json holds one report", "table")),
        (("a.json", "b.json", "-o", "x.csv"), 2, ("csv holds one report",)),
        (("a.json", "b.json", "-v"), 2, ("-v takes one report",)),
        (("--schema", "a.json", "--json"), 2, ("--schema shows no report, so --json, REPORT would have no",)),
        (("none.json",), 3, ("none.json", "cannot be read")),
        (("t.csv",), 3, ("t.csv", "is not JSON")),
    ],
)
def test_what_cannot_be_shown_is_an_error(program, argv, status, said):
    program.refuses(status, "show", *argv, said=said)


def test_the_schema_describes_reports(program):
    schema = json.loads(program("show", "--schema").out)
    assert {"schema", "results", "findings"} <= schema["$defs"]["Report"]["properties"].keys()
