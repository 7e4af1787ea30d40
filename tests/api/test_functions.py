"""The functions of the Python API that score nothing: load, gate, explain, init; and files of settings."""

from __future__ import annotations

import doctest
import io
import json
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.custom import Positive, Regression
from losscli.errors import DataError, UsageError

Y = np.array([1.0, 2.0, 3.0, 4.0])
PRED = np.array([1.5, 1.5, 5.0, 1.0])


@pytest.fixture
def report():
    return losscli.evaluate(PRED, Y, loss=["mae", "huber"])


@pytest.fixture
def files(program, report):
    program.write(
        p=pl.DataFrame({"pred": PRED}),
        q=pl.DataFrame({"pred": PRED + 1}),
        t=pl.DataFrame({"y": Y}),
        r_json=report.to_json(),
    )
    return program


@pytest.fixture
def program(losscli):  # the name `losscli` is the package here
    return losscli


def test_load_returns_the_report_that_was_saved(files, report, monkeypatch):
    assert losscli.load("r.json") == losscli.load(Path("r.json")) == report
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(report.to_json().encode())))
    assert losscli.load("-") == report
    with pytest.raises(DataError, match=r"gone\.json: cannot be read"):
        losscli.load("gone.json")


def test_the_schema_is_what_the_program_prints(program):
    assert json.loads(json.dumps(losscli.report_schema())) == json.loads(program("show", "--schema").out)


@pytest.mark.parametrize("named", [False, True])
def test_gates_judge_reports_and_saved_reports(named, files, report):
    given = "r.json" if named else report
    judged = losscli.gate(given, given, gate=["mae <= base", "huber <= 0.1"], min_n=2)
    assert [verdict.status for verdict in judged.gates] == ["pass", "fail"]
    assert judged.results == report.results
    assert not judged.passed
    done = files("gate", "r.json", "r.json", "-g", "mae <= base", "-g", "huber <= 0.1", "--json")
    assert (json.loads(done.out), done.status) == (judged.to_dict(), 1)


def test_a_gate_may_be_a_table_and_warn(report):
    judged = losscli.gate(report, gate={"check": "mae <= 0.1", "severity": "warn"})
    assert (judged.gates[0].status, judged.passed) == ("warn", True)


@pytest.mark.parametrize(
    ("options", "said"),
    {
        "no gate": ({}, "no gate"),
        "not a gate": ({"gate": "mae"}, "invalid gate"),
        "a base without use": ({"gate": "mae <= 1", "base": "r.json"}, "--baseline has no effect"),
        "a wrong option": ({"gate": "mae <= 1", "min_n": -1}, "--min-n must be"),
    }.values(),
)
def test_gates_that_make_no_sense(options, said, files, report):
    with pytest.raises(UsageError, match=said):
        losscli.gate(report, **options)


def test_explain_finds_losses_and_draws_them(program):
    found = losscli.explain("huber", delta=2)
    assert [entry.name for entry in found.losses] == ["huber"]
    assert found.facts is None
    done = program("explain", "huber", "--delta", "2")
    assert f"{found}\n" == done.out
    assert found.to_dict() == json.loads(program("explain", "huber", "--delta", "2", "--json").out)
    assert found.to_dict()["losses"][0]["curve"]["beside"][0]["label"] == "e^2 / 2"


def test_explain_lists_the_catalog():
    assert losscli.explain().losses == losscli.list_losses()
    assert losscli.explain(task="triplet").losses == losscli.list_losses("triplet")
    assert {entry.name for entry in losscli.explain(search="squared log").losses} >= {
        "mean_squared_log_error"
    }


def test_explain_takes_functions_and_rows_in_memory():
    def short(batch: Regression, *, slope: Positive = 2.0):
        """Short deliveries cost more."""
        return batch.xp.where(batch.error < 0, -slope * batch.error, batch.error)

    assert losscli.explain(short).losses[0].name == "short"
    facts = losscli.explain("huber", PRED, Y, delta=1).facts
    assert facts.rows == 4
    assert [part.rows for part in facts.parts] == [2]
    assert facts.value == pytest.approx(losscli.evaluate(PRED, Y, loss="huber", delta=1)["huber"].value)


@pytest.mark.parametrize(
    ("given", "said"),
    {
        "an option without files": (("huber", None, None, {"on": "id"}), "there are no files to read"),
        "targets alone": (("huber", None, Y, {}), "TARGETS: there are no files to read"),
        "files without a loss": ((None, PRED, Y, {}), "files show the rows of one loss"),
        "a parameter without a loss": ((None, None, None, {"delta": 1}), "--delta belongs to a loss"),
        "two losses": ((["huber", "mae"], PRED, Y, {}), "one loss is explained at a time"),
        "a search for a loss that is named": (
            ("huber", None, None, {"search": "e"}),
            "--search lists losses",
        ),
        "an unknown task": ((None, None, None, {"task": "binari"}), "Did you mean binary?"),
        "an unknown word": ((None, None, None, {"search": "hubr"}), "no loss has the words 'hubr'"),
    }.values(),
)
def test_explanations_that_make_no_sense(given, said):
    loss, predictions, targets, options = given
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        losscli.explain(loss, predictions, targets, **options)


def test_init_writes_settings_that_evaluate_reads(files):
    path = losscli.init(Path("p.csv"), "t.csv", loss="huber", delta=2.0)
    assert path == Path("losscli.toml")
    values = tomllib.loads(path.read_text())
    assert (values["predictions"], values["loss"], values["pred"]) == ("p.csv", ["huber:delta=2.0"], ["pred"])
    assert (
        losscli.evaluate(config=path).results
        == losscli.evaluate("p.csv", "t.csv", loss="huber:delta=2").results
    )
    with pytest.raises(UsageError, match="already exists"):
        losscli.init("p.csv")
    losscli.init(force=True)
    assert tomllib.loads(path.read_text()) == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (((), {"on": "id"}), "--on: there are no files to read"),
        (((PRED, Y), {}), "predictions: data in memory"),
    ],
)
def test_settings_that_cannot_be_written(given, said, program):
    with pytest.raises(UsageError, match=said):
        losscli.init(*given[0], **given[1])
    assert not Path("losscli.toml").exists()


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda **given: losscli.evaluate(PRED, Y, loss="mae", **given), "changed"),
        (lambda **given: losscli.compare(PRED, PRED + 1, targets=Y, loss="mae", **given), "worst"),
        (lambda **given: losscli.rank(PRED, PRED + 1, targets=Y, loss="mae", **given), "gate"),
        (lambda **given: losscli.explain("mae", PRED, Y, **given), "by"),
        (lambda **given: losscli.init("p.csv", "t.csv", **given), "cluster"),
        (lambda **given: losscli.gate("r.json", gate="mae <= 1", **given), "ci"),
        (lambda **given: losscli.gate("r.json", gate="mae <= 1", **given), "delta"),
        (lambda **given: losscli.evaluate(PRED, Y, loss="mae", **given), "format"),
    ],
)
def test_options_of_other_functions_are_refused(function, name, files):
    function()
    with pytest.raises(UsageError, match=f"has no option '{name}'"):
        function(**{name: 1})


SETTINGS = """
predictions = "gone.csv"
targets = "t.csv"
loss = "huber"
delta = 0.5
ci = 0.8
gate = "huber <= 9"
baseline = "r.json"
worst = 3
format = "json"
"""


@pytest.mark.parametrize("function", [losscli.compare, losscli.rank])
def test_compare_and_rank_read_the_settings_that_are_named(function, files):
    files.write(c_toml=SETTINGS)
    given = function("p.csv", "q.csv", config="c.toml")
    gated = {"gate": "huber <= 9"} if function is losscli.compare else {}
    expected = function("p.csv", "q.csv", targets="t.csv", loss="huber", delta=0.5, ci=0.8, **gated)
    assert given == expected
    assert given.results[0].level == 0.8
    own = function({"one": "p.csv", "two": "q.csv"}, config="c.toml", loss="huber:delta=1", ci=None)
    first = own.results[0]
    assert (dict(first.params), first.level, first.model) == ({"delta": 1.0}, None, "one")


@pytest.mark.parametrize("function", [losscli.compare, losscli.rank])
def test_settings_name_no_models(function, files):
    files.write(c_toml=SETTINGS)
    with pytest.raises(UsageError):
        function(config="c.toml")


@pytest.mark.parametrize("name", losscli.__all__)
def test_examples_in_docstrings_give_what_they_show(name, program):
    found = doctest.DocTestFinder().find(getattr(losscli, name), name, globs={"losscli": losscli})
    runner = doctest.DocTestRunner()
    for each in found:
        runner.run(each)
    assert runner.failures == 0
