"""Losses that users write as functions: in a file that a request names, or passed in Python."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import losscli
from losscli.catalog import registry
from losscli.catalog.params import Positive, Unit
from losscli.errors import UsageError
from losscli.losses.robust import huber
from losscli.numeric.special import softplus
from losscli.states import reductions
from losscli.tasks.binary import Binary
from losscli.tasks.classes import Multiclass
from losscli.tasks.ensemble import Ensemble
from losscli.tasks.regression import Regression

RNG = np.random.default_rng(9)
N = 100_000
Y, P, W = RNG.normal(size=N), RNG.normal(size=N), RNG.uniform(0.5, 2, size=N)
CODE, PROBS = RNG.integers(0, 3, N), RNG.dirichlet([2, 2, 2], N)

MINE = '''
"""Losses of ours."""
from losscli import loss
from losscli.custom import ratio
from losscli.custom import Positive
from losscli.tasks.binary import Binary
from losscli.tasks.regression import Regression


def asym(batch: Regression, *, slope: Positive = 2.0):
    """Too low costs more than too high.

    l = -slope e if e < 0, else e.  Unit: target.

    Ours
    """
    return batch.xp.where(batch.error < 0, -slope * batch.error, batch.error)


@loss(reduction=ratio, best=0.0, domain="targets above zero", increasing=("low", "high"))
def share(batch: Regression, *, low: Positive = 1.0, high: Positive = 2.0):
    return batch.abs_error, batch.target * high / low


def missed(batch: Binary):
    return (batch.probability < 0.5) & (batch.target == 1)


def need(batch: Regression, *, slope: Positive):
    return slope * batch.abs_error


same = asym
'''


@pytest.fixture
def program(losscli):
    losscli.write(
        p="id,pred\n1,1.5\n2,2.5\n3,2.0\n4,1\n",
        y="id,y,w\n1,1.0,1\n2,2.0,2\n3,4.0,1\n4,1,1\n",
        b="id,prob\n1,.2\n2,.4\n3,.6\n4,.9\n",
        z="id,label\n1,0\n2,1\n3,1\n4,1\n",
        mine_py=MINE,
    )
    return losscli


# In a file


def test_a_function_in_a_file_is_a_loss(program):
    assert program.bare("p.csv", "y.csv", "-l", "mine.py:asym") == [(0.5 + 0.5 + 4 + 0) / 4]
    assert program.bare("p.csv", "y.csv", "-l", "mine.py:asym:slope=3", "-w", "w") == [(0.5 + 1 + 6) / 5]
    assert program.bare("p.csv", "y.csv", "-l", "./mine.py : same : slope = 3") == [(0.5 + 0.5 + 6 + 0) / 4]
    assert program.bare("p.csv", "y.csv", "-l", "mine.py:share") == [3 / 16]
    assert program.bare("p.csv", "y.csv", "-l", f"{program.folder}/mine.py:need:slope=2") == [1.5]


def test_conditions_count_rows_and_classes_have_their_results(program):
    report = json.loads(program("evaluate", "b.csv", "z.csv", "-l", "mine.py:missed", "--json").out)
    assert [(r["cell"], r["value"]) for r in report["results"]] == [
        ({}, 0.25),
        ({"class": "0"}, 0.0),
        ({"class": "1"}, 1 / 3),
    ]


def test_its_name_stands_in_tables_reports_and_gates(program):
    argv = ["evaluate", "p.csv", "y.csv", "-l", "mine.py:asym:slope=3", "-l", "mine.py:asym", "-l", "mae"]
    gates = ["-g", "asym:slope=3 <= 1.75", "-g", '"mine.py:asym":slope=2 < 2', "-g", "mae < 9"]
    done = program(*argv, *gates, "-o", "r.json")
    assert done.status == 0, done.err
    assert [line.split("  ")[0] for line in done.out.splitlines()[3:5]] == ["asym:slope=3", "asym"]
    report = losscli.Report.from_dict(json.loads((program.folder / "r.json").read_text()))
    assert report["mine.py:asym"].params == {"slope": 3.0}
    assert report["asym:slope=3"].value == 1.75
    assert program(*argv, "-g", "asym:slope=3 <= 1.7").status == 1


def test_an_option_of_the_catalog_serves_its_parameter_too(program):
    program.write(mine_py=MINE.replace("slope", "delta"))
    argv = ["p.csv", "y.csv", "-l", "mine.py:asym", "--delta", "3"]
    assert program.bare(*argv) == program.bare("p.csv", "y.csv", "-l", "mine.py:asym:delta=3")


def test_the_plan_can_be_pasted(program):
    first = program("evaluate", "p.csv", "y.csv", "-l", "mine.py:asym:slope=3", "--json", "-v")
    plan = first.err.splitlines()[0].removeprefix("losscli: plan: ")
    assert plan.endswith("-l mine.py:asym:slope=3.0")
    second = program("evaluate", "p.csv", "y.csv", *shlex.split(plan), "--json")
    assert second.out == first.out


def test_the_source_belongs_to_the_signature_and_its_place_does_not(program):
    def signature(loss: str) -> str:
        return json.loads(program("evaluate", "p.csv", "y.csv", "-l", loss, "--json").out)["signature"]

    program.write(other_py=MINE)
    first = signature("mine.py:asym")
    assert signature("./mine.py:asym") == signature("other.py:asym") == first
    assert signature("mine.py:asym:slope=3") != first
    assert signature("mine.py:same") != first
    program.write(mine_py=MINE.replace("error < 0", "error < 1"))
    assert signature("mine.py:asym") != first


def test_a_file_that_has_changed_is_run_again(program):
    argv = ["p.csv", "y.csv", "-l", "mine.py:asym"]
    assert program.bare(*argv) == [1.25]
    program.write(mine_py=MINE.replace("-slope * batch.error", "-slope * batch.target"))
    assert program.bare(*argv) == [(0.5 + 0.5 - 8 + 0) / 4]
    assert not list(program.folder.glob("__pycache__"))


def test_the_file_is_run_only_when_it_is_named(program):
    program.write(mine_py="from pathlib import Path\nPath('ran').touch(exist_ok=False)\n" + MINE)
    program("evaluate", "p.csv", "y.csv", "-l", "mine:asym")
    program("evaluate", "p.csv", "y.csv", "-g", "mine.py:asym < 2", "-g", '"mine.py:asym" < 2')
    program("evaluate", "p.csv", "y.csv", "-l", "asym")
    assert not (program.folder / "ran").exists()
    done = program(
        "evaluate", "p.csv", "y.csv", "-l", "mine.py:asym", "-l", "mine.py:share", "-g", "asym < 2"
    )
    assert done.status == 0, done.err


def test_explain_shows_it(program):
    done = program("explain", "mine.py:asym")
    assert (done.status, done.err) == (0, "")
    for part in ("asym (regression)", "l = -slope e if e < 0, else e", "mine.py:asym:slope=VALUE", "Ours"):
        assert part in done.out


# name: (the file, the loss that is asked for, what stderr must hold in this order)
HEAD = "from losscli.tasks.regression import Regression\nfrom losscli.custom import Positive\n"
WRONG = {
    "no file": ("", "no.py:asym", "no.py: no such file or directory", "-> check the path"),
    "a folder": ("", "folder.py:asym", "folder.py: is a directory"),
    "no function named": (
        MINE,
        "mine.py",
        "mine.py: which function? It has: asym, share, missed, need, same.",
    ),
    "nothing after the colon": (MINE, "mine.py:", "mine.py: which function?"),
    "no such function": (
        MINE,
        "mine.py:asim",
        "mine.py: no function 'asim' in it. Did you mean asym",
        "mine.py:asym",
    ),
    "an empty file": ("", "mine.py:asym", "mine.py: no function 'asym' in it. It has: none."),
    "no function but a number": ("asym = 3", "mine.py:asym", "mine.py:asym is not a function"),
    "a class": (
        "class asym: pass",
        "mine.py:asym",
        "mine.py:asym is not a function",
        "-> as in `def asym(batch",
    ),
    "not Python": ("def asym(:\n", "mine.py:asym", "mine.py: line 1: SyntaxError: invalid syntax"),
    "null bytes": ("\0", "mine.py:asym", "mine.py: ", "null bytes"),
    "raises when it is run": (
        "\n1 / 0\n",
        "mine.py:asym",
        "mine.py: line 2: ZeroDivisionError: division by zero",
    ),
    "a module it lacks": ("import nonsense\n", "mine.py:asym", "mine.py: line 1: ModuleNotFoundError"),
    "exits": ("import sys\nsys.exit(0)\n", "mine.py:asym", "mine.py: line 2: SystemExit: 0"),
    "no arguments": (
        "def asym(): pass",
        "mine.py:asym",
        "mine.py:asym: its first argument must be the batch",
    ),
    "no batch": (
        "def asym(batch): pass",
        "mine.py:asym",
        "batch has no annotation; expected a batch",
    ),
    "a batch of no task": (
        "def asym(batch: int): pass",
        "mine.py:asym",
        "mine.py:asym: batch must be annotated with the batch of a task, not <class 'int'>",
    ),
    "a batch that no task makes": (
        HEAD + "class Own(Regression): pass\ndef asym(batch: Own): pass",
        "mine.py:asym",
        "batch must be annotated with the batch of a task, not <class 'mine.Own'>",
    ),
    "an unknown annotation": (
        "from __future__ import annotations\ndef asym(batch: Regresion): pass",
        "mine.py:asym",
        "mine.py:asym: NameError: name 'Regresion' is not defined",
    ),
    "a parameter by place": (
        HEAD + "def asym(batch: Regression, slope: Positive = 2.0): pass",
        "mine.py:asym",
        "mine.py:asym: slope must be a keyword, after a *",
    ),
    "any parameters": (
        HEAD + "def asym(batch: Regression, **slopes): pass",
        "mine.py:asym",
        "mine.py:asym: slopes must be a keyword",
    ),
    "a parameter without annotation": (
        HEAD + "def asym(batch: Regression, *, slope=2.0): pass",
        "mine.py:asym",
        "mine.py:asym: slope has no annotation; expected a range: Positive, Unit",
    ),
    "a parameter without a range": (
        HEAD + "def asym(batch: Regression, *, slope: float = 2.0): pass",
        "mine.py:asym",
        "mine.py:asym: TypeError: parameter slope has an annotation without a range: <class 'float'>",
    ),
    "a default out of range": (
        HEAD + "def asym(batch: Regression, *, slope: Positive = 0): pass",
        "mine.py:asym",
        "asym: slope must be a number > 0, got 0",
        "-> losscli explain mine.py:asym",
    ),
    "a parameter out of range": (MINE, "mine.py:asym:slope=-1", "asym: slope must be a number > 0, got -1"),
    "an unknown parameter": (
        MINE,
        "mine.py:asym:slop=1",
        "asym has no parameter 'slop'. Did you mean slope?",
    ),
    "a missing parameter": (
        MINE,
        "mine.py:need",
        "need needs slope: a number > 0, as in mine.py:need:slope=...",
    ),
    "no value": (MINE, "mine.py:asym:slope", "'mine.py:asym:slope': parameters are written name=value"),
    "parameters that do not rise": (
        MINE,
        "mine.py:share:high=0.5",
        "share needs low < high, got low=1, high=0.5",
    ),
    "a name of the catalog": (
        MINE.replace("asym", "huber"),
        "mine.py:huber",
        "mine.py:huber: huber is a loss in the catalog",
    ),
    "raises": (
        HEAD + "def asym(batch: Regression):\n    return half(batch)\n\n"
        "def half(batch):\n    return batch.eror / 2",
        "mine.py:asym",
        "mine.py:asym: line 7: AttributeError: 'Regression' object has no attribute 'eror'",
    ),
    "a mean": (
        HEAD + "def asym(batch: Regression): return batch.error.mean()",
        "mine.py:asym",
        "mine.py:asym: it returned a float64, where 4 rows need an array of 4 numbers",
        "-> return the loss of each row, or a tuple of row columns with a reduction",
    ),
    "nothing": (
        HEAD + "def asym(batch: Regression): pass",
        "mine.py:asym",
        "it returned a NoneType, where 4 rows",
    ),
    "a list": (
        HEAD + "def asym(batch: Regression): return [1, 2, 3, 4]",
        "mine.py:asym",
        "it returned a list",
    ),
    "too short": (
        HEAD + "def asym(batch: Regression): return batch.error[1:]",
        "mine.py:asym",
        "mine.py:asym: it returned an array of shape (3,)",
    ),
    "a matrix": (
        HEAD + "def asym(batch: Regression): return batch.error[:, None]",
        "mine.py:asym",
        "it returned an array of shape (4, 1)",
    ),
    "text": (
        HEAD + "def asym(batch: Regression): return batch.error.astype(str)",
        "mine.py:asym",
        "it returned an array of type <U",
    ),
    "two columns for a mean": (
        HEAD + "def asym(batch: Regression): return batch.error, batch.target",
        "mine.py:asym",
        "mine.py:asym: it returned 2 row columns, and its reduction takes 1",
        "-> @loss(reduction=...) says how",
    ),
    "one column for a ratio": (
        MINE.replace("batch.abs_error, batch.target * high / low", "batch.abs_error"),
        "mine.py:share",
        "mine.py:share: it returned 1 row columns, and its reduction takes 2",
    ),
    "a reduction that raises": (
        MINE.replace("reduction=ratio", "reduction=Reduction(lambda xp, m: m[..., 7])").replace(
            "ratio", "Reduction"
        ),
        "mine.py:share",
        "mine.py:share: its reduction: line 20: IndexError: index 7 is out of bounds",
    ),
    "a reduction that asks for nonsense": (
        MINE.replace("reduction=ratio", "reduction=Reduction(lambda xp, m, size: m)").replace(
            "ratio", "Reduction"
        ),
        "mine.py:share",
        "mine.py:share: its reduction asks for size",
        "-> a reduction may ask for high, low, pilot, pilots, weight",
    ),
    "a reduction that is none": (
        MINE.replace("reduction=ratio", "reduction=3"),
        "mine.py:share",
        "mine.py:share: its reduction must be a losscli.custom.Reduction, not 3",
    ),
    "a state that is none": (
        MINE.replace("reduction=ratio", "reduction=ratio, state=int"),
        "mine.py:share",
        "mine.py:share: its state must be a class with the methods of State, not <class 'int'>, which has",
        "-> leave out state=",
    ),
    "one wrong column of two": (
        MINE.replace("batch.target * high / low", "1.0"),
        "mine.py:share",
        "it returned a float, where 4 rows",
    ),
}


@pytest.mark.parametrize(("source", "loss", "said"), [(w[0], w[1], w[2:]) for w in WRONG.values()], ids=WRONG)
def test_wrong_files_and_functions(source, loss, said, program):
    program.write(mine_py=source)
    (program.folder / "folder.py").mkdir()
    program.refuses(2, "evaluate", "p.csv", "y.csv", "-l", loss, said=said)


def test_one_name_stands_for_one_function(program):
    program.write(other_py=MINE.replace("error < 0", "error < 1"))
    argv = ["evaluate", "p.csv", "y.csv", "-l", "mine.py:asym"]
    said = ("two losses are named asym: mine.py:asym and other.py:asym", "-> choose another name for one")
    program.refuses(2, *argv, "-l", "other.py:asym", said=said)
    said = ("two losses are named asym: mine.py:asym and asym = expr: e",)
    program.refuses(2, *argv, "-l", "asym = expr: e", said=said)
    assert program(*argv, "-l", "mine.py:asym").status == 0


def test_debug_shows_the_traceback_of_the_file(program):
    program.write(mine_py=HEAD + "def asym(batch: Regression):\n    return 1 / 0\n")
    argv = ["evaluate", "p.csv", "y.csv", "-l", "mine.py:asym"]
    assert "Traceback" not in program(*argv).err
    shown = program(*argv, "--debug")
    assert shown.status == 2
    assert 'File "mine.py", line 4, in asym' in shown.err
    assert "return 1 / 0" in shown.err


# In Python


def pinched(batch: Regression, *, slope: Positive = 2.0, share: Unit = 0.5):
    """Bounded."""
    return batch.xp.minimum(slope * batch.abs_error, share)


@losscli.loss(reduction=reductions.Reduction(lambda xp, m, weight, power: weight * m[..., 0] ** power))
def scaled_sum(batch: Regression, *, power: Positive = 2.0):
    return batch.squared_error


@losscli.loss(reduction=reductions.root, best=0.0)
def root_pinched(batch: Regression, *, slope: Positive = 2.0):
    return pinched(batch, slope=slope) ** 2


def true_mass(batch: Multiclass):
    return softplus(batch.xp, batch.log_prob_true)


def test_a_function_is_passed_as_it_is():
    report = losscli.evaluate(
        P, Y, loss=[pinched, "mae", root_pinched], gate=["pinched < 1", "root_pinched < 1"], slope=0.3
    )
    rows = np.minimum(0.3 * np.abs(P - Y), 0.5)
    assert report["pinched"].value == pytest.approx(rows.mean(), rel=1e-13)
    assert report["pinched"].se == pytest.approx(rows.std(ddof=1) / np.sqrt(N), rel=1e-10)
    assert report["pinched"].params == {"slope": 0.3, "share": 0.5}
    assert report["root_pinched"].value == pytest.approx(np.sqrt((rows**2).mean()), rel=1e-13)
    assert [verdict.status for verdict in report.gates] == ["pass", "pass"]
    one, many = (losscli.evaluate(P, Y, loss=pinched, threads=n).to_dict() for n in (1, 7))
    assert one == many


def test_a_reduction_may_ask_for_parameters_and_the_weight():
    result = losscli.evaluate(P, Y, loss=scaled_sum, power=0.5, gate="scaled_sum > 0").results[0]
    assert result.value == pytest.approx(N * np.sqrt(((P - Y) ** 2).mean()), rel=1e-12)
    assert result.se > 0


def test_a_function_may_be_of_any_task():
    report = losscli.evaluate(PROBS, CODE, loss=true_mass)
    expected = np.log1p(PROBS[np.arange(N), CODE])
    assert report["true_mass"].value == pytest.approx(expected.mean(), rel=1e-13)
    assert report["true_mass", {"class": 1}].value == pytest.approx(expected[CODE == 1].mean(), rel=1e-12)


def spread(batch: Ensemble):
    return batch.xp.max(batch.members, axis=1) - batch.xp.min(batch.members, axis=1)


def test_a_batch_may_be_one_that_names_its_columns():
    frame = pl.DataFrame({"m0": [1.0, 2.0], "m1": [2.0, 5.0], "y": [1.0, 1.0]})
    assert losscli.evaluate(frame, loss=spread)["spread"].value == 2.0


def test_a_function_of_the_catalog_is_its_loss():
    assert losscli.evaluate(P, Y, loss=huber, delta=2) == losscli.evaluate(P, Y, loss="huber", delta=2)


def test_a_function_stays_out_of_the_catalog():
    assert losscli.evaluate(P, Y, loss=root_pinched).results[0].loss == "root_pinched"
    assert not {"pinched", "root_pinched", "asym"} & set(registry.names())


def test_a_function_within_a_function_is_a_loss():
    def scaled(batch: Regression, *, factor: Positive = 2.0):
        return factor * batch.error

    result = losscli.evaluate(P, Y, loss=scaled, factor=3).results[0]
    assert result.value == pytest.approx(3 * (P - Y).mean(), rel=1e-10)


def test_the_source_belongs_to_the_signature():
    def signature(body: str) -> str:
        scope: dict[str, object] = {"Regression": Regression}
        exec(f"def made(batch: Regression): return {body}", scope)  # without a file that holds its source
        return losscli.evaluate(P, Y, loss=scope["made"]).signature

    assert signature("batch.error") == signature("batch.error")
    assert len({signature(body) for body in ("batch.error", "batch.error * 2", "batch.error * 3")}) == 3


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lambda batch: batch.error, "<lambda>: batch has no annotation"),
        (len, "<built-in function len> is not a function"),
        (Binary, "is not a function"),
        (3, "3 is not a function"),
    ],
)
def test_what_is_no_loss_is_refused(loss, said):
    with pytest.raises(UsageError, match=said):
        losscli.evaluate(P, Y, loss=[loss])


def test_a_parameter_of_no_chosen_function_is_refused():
    with pytest.raises(UsageError, match=r"no option or loss parameter 'slop'\. Did you mean slope"):
        losscli.evaluate(P, Y, loss=pinched, slop=2)


def test_the_program_itself_runs_a_file(program):
    done = subprocess.run(
        [sys.executable, "-m", "losscli", "evaluate", "p.csv", "y.csv", "-l", "mine.py:asym", "--bare"],
        cwd=program.folder,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1.25\n", "")
