"""What the command line does: outputs, gates, plans, names of losses, and what each stream gets."""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
import sys

import numpy as np
import pytest
from sklearn import metrics
from support import hall
from support.grids import first_of

from losscli.catalog import registry
from losscli.report.model import Report

RNG = np.random.default_rng(3)
Y = RNG.normal(size=50)
PRED = Y + RNG.normal(scale=0.5, size=50)
CODE = RNG.integers(0, 3, 50)
PROBS = RNG.dirichlet([1, 1, 1], 50)
CLASSES = ["cat", "dog", "owl, the"]


def csv_text(header: str, *columns) -> str:
    rows = zip(*columns, strict=True)
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


@pytest.fixture
def program(losscli):
    labels = [f'"{CLASSES[code]}"' for code in CODE]
    losscli.write(
        p=csv_text("id,pred", range(50), PRED),
        t=csv_text("id,y", range(50), Y),
        c=csv_text('id,cat,dog,"owl, the"', range(50), *PROBS.T),
        l=csv_text("id,label,w", range(50), labels, RNG.uniform(0, 2, 50)),
        b=csv_text("id,prob", range(50), PROBS[:, 0]),
        k=csv_text("id,label", range(50), ["yes" if code else "no" for code in CODE]),
    )
    return losscli


def test_bare_prints_every_digit_and_nothing_else(program):
    done = program("evaluate", "p.csv", "t.csv", "-l", "mae", "-l", "r2", "--bare")
    lines = done.out.splitlines()
    assert [repr(float(line)) for line in lines] == lines
    expected = [metrics.mean_absolute_error(Y, PRED), metrics.r2_score(Y, PRED)]
    assert [float(line) for line in lines] == pytest.approx(expected, rel=1e-14)
    assert (done.status, done.err) == (0, "")


def test_bare_says_nan_and_why_on_stderr(program):
    program.write(t="id,y\n" + "".join(f"{i},1\n" for i in range(50)))
    done = program("evaluate", "p.csv", "t.csv", "-l", "r2", "--bare")
    assert (done.status, done.out) == (3, "nan\n")
    assert done.err == (
        "losscli: note: r2: undefined: all targets are equal\nlosscli: a value is not defined\n"
    )


def test_json_has_the_keys_of_its_schema_and_null_for_what_is_not_defined(program):
    program.write(t="id,y\n" + "".join(f"{i},1\n" for i in range(50)))
    done = program("evaluate", "p.csv", "t.csv", "-l", "r2", "-l", "huber", "-g", "r2 > 0", "--json")
    report = json.loads(done.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert {"schema", "losscli", "signature", "results", "comparisons", "gates", "findings"} <= set(report)
    r2, huber = report["results"]
    assert set(huber) >= {
        *("loss", "params", "model", "cell", "value", "se", "ci_low", "ci_high", "level", "rows", "weight"),
        *("notes", "share"),
    }
    assert (r2["value"], r2["notes"][0]["text"]) == (None, "undefined: all targets are equal")
    assert (huber["params"], huber["level"], huber["rows"], huber["cell"]) == ({"delta": 1.0}, 0.95, 50, {})
    assert report["gates"][0]["status"] == "error"
    assert done.status == 3


@pytest.mark.parametrize("form", ["json", "csv", "markdown", "table"])
def test_files_hold_what_stdout_shows(form, program):
    suffix = {"json": "json", "csv": "csv", "markdown": "md", "table": "txt"}[form]
    argv = ["evaluate", "c.csv", "l.csv", "-y", "label", "--format", form, "-o", f"r.{suffix}"]
    done = program(*argv, "-o", "saved.json")
    assert (done.status, done.err) == (0, "")
    assert (program.folder / f"r.{suffix}").read_text() == done.out
    assert Report.from_dict(json.loads((program.folder / "saved.json").read_text())).results


def test_csv_has_one_row_a_result_with_every_digit(program):
    argv = ["evaluate", "c.csv", "l.csv", "-y", "label", "-l", "log_loss"]
    rows = list(csv.DictReader(io.StringIO(program(*argv, "--format", "csv").out)))
    overall = float(program(*argv, "--bare").out)
    assert [row["cell"] for row in rows] == ["", "class=cat", "class=dog", 'class="owl, the"']
    assert float(rows[0]["value"]) == overall
    assert overall == pytest.approx(metrics.log_loss(CODE, PROBS), rel=1e-14)


def test_of_several_files_all_are_written_or_none(program):
    program.write(old_json='{"old": true}')
    argv = ["evaluate", "p.csv", "t.csv", "-q", "--bare"]
    failed = program(*argv, "-o", "old.json", "-o", "/proc/new.json")
    assert (failed.status, failed.out) == (3, "")
    assert "/proc/new.json: cannot be written" in failed.err
    assert (program.folder / "old.json").read_text() == '{"old": true}'
    (program.folder / "link.json").symlink_to("old.json")
    assert program(*argv, "-o", "link.json", "-o", "new.md").status == 0
    assert (program.folder / "link.json").is_symlink()
    assert "old" not in (program.folder / "old.json").read_text()
    assert not [path for path in program.folder.iterdir() if path.name.startswith(".losscli")]


@pytest.mark.parametrize(
    ("gates", "status"),
    [
        (["mae < 9"], 0),
        (["mae < 9", "mean_absolute_error[class=x] < 9"], 3),
        (["mae < 0.01", "n >= 50"], 1),
        (["mae < 0.01", "n >= 51", "huber[class=x] < 1"], 3),
        (["hi(mae) < 9", "lo(mae) > 0"], 0),
        (["r2 < base + 1%"], 3),
    ],
)
def test_the_exit_status_is_that_of_the_gates(gates, status, program):
    argv = [word for gate in gates for word in ("-g", gate)]
    done = program("evaluate", "p.csv", "t.csv", "-l", "mae", *argv)
    assert done.status == status
    assert "gates" in done.out
    quiet = program("evaluate", "p.csv", "t.csv", "-l", "mae", *argv, "--bare", "-q")
    assert (quiet.status, len(quiet.out.splitlines())) == (
        status,
        1 + any("r2" in gate or "huber" in gate for gate in gates),
    )
    why = quiet.err.splitlines()  # in one line, which a redirected stdout does not hide
    assert [line.startswith("losscli: ") for line in why] == [True] * (status != 0)


def test_why_gates_end_the_program_is_a_line_on_stderr(program):
    done = program("evaluate", "p.csv", "t.csv", "-l", "mae", "-g", "mae < 0.01", "-g", "n >= 50", "-q")
    assert done.err == "losscli: 1 of 2 gates failed: mae < 0.01 (0.4337)\n"
    done = program("evaluate", "p.csv", "t.csv", "-l", "mae", "-g", "mae[class=x] < 9", "-q")
    assert done.err.startswith("losscli: 1 of 1 gates cannot be judged: mae[class=x] < 9 (no result by class")


def test_gates_add_the_losses_that_they_name(program):
    argv = ["evaluate", "p.csv", "t.csv", "-g", "huber:delta=2 < 9", "-g", "rmse < 9", "--json"]
    done = program(*argv, "-l", "mae", "-l", "huber:delta=2.0")
    named = [(each["loss"], each["params"]) for each in json.loads(done.out)["results"]]
    assert named == [
        ("mean_absolute_error", {}),
        ("huber", {"delta": 2.0}),
        ("root_mean_squared_error", {"pooled": False}),
    ]
    assert done.status == 0
    usual = json.loads(program("evaluate", "p.csv", "t.csv", "--json").out)["results"]
    added = json.loads(program(*argv).out)["results"]
    assert [each["loss"] for each in added] == [*dict.fromkeys(each["loss"] for each in usual), "huber"]


def test_a_folder_for_a_report_is_made(program):
    assert program("evaluate", "p.csv", "t.csv", "-o", "new/folder/r.json").status == 0
    assert (program.folder / "new" / "folder" / "r.json").exists()


PLANNED = {
    "regression": "p.csv t.csv",
    "parameters": "p.csv t.csv -l huber:delta=2 -l pinball --alpha 0.9 --ci 0.8",
    "no interval": "p.csv t.csv -l huber --ci none",
    "classes, weights, policies": "c.csv l.csv -y label -w w --class-weight cat=2,dog=0.5 --missing drop "
    "--unmatched drop --eps 0.001 --ignore-label dog",
    "commas in names": """c.csv l.csv -y label -p '"owl, the",cat,dog' --class-weight '"owl, the=3"'""",
    "logits": "c.csv l.csv -y label --from-logits",
    "scores to normalize": "c.csv l.csv -y label --normalize",
    "binary": "b.csv k.csv --positive yes",
    "labels": "k.csv l.csv -y label",
}


@pytest.mark.parametrize("argv", PLANNED.values(), ids=PLANNED)
def test_the_plan_can_be_pasted_and_gives_the_same_report(argv, program):
    program.write(k=csv_text("id,label", range(50), [["cat", "dog"][code // 2] for code in CODE]))
    argv = argv.replace("--positive yes", "--positive dog")
    inferred = program("evaluate", *shlex.split(argv), "-v", "--json")
    assert inferred.status == 0, inferred.err
    plan = inferred.err.splitlines()[0].removeprefix("losscli: plan: ")
    pasted = program("evaluate", *argv.split()[:2], *shlex.split(plan), "-v", "--json")
    first, second = json.loads(inferred.out), json.loads(pasted.out)
    assert pasted.err.splitlines()[0] == inferred.err.splitlines()[0]
    for report in (first, second):
        del report["names"], report["findings"]
    assert first == second


def test_dry_run_shows_the_plan_and_evaluates_nothing(program):
    done = program("evaluate", "p.csv", "t.csv", "-l", "mae", "--dry-run", "-o", "r.json")
    assert (done.status, done.out) == (0, "")
    assert done.err == (
        "losscli: plan: --task regression -p pred -y y --on id -l mean_absolute_error\n"
        "losscli: aligned by key id\n"
    )
    assert not (program.folder / "r.json").exists()


def test_check_says_what_would_be_evaluated(program):
    done = program("check", "p.csv", "t.csv", "-l", "mae")
    assert (done.status, done.err) == (0, "")
    rows, command = done.out.splitlines()
    assert rows == "50 rows can be evaluated, aligned by key id"
    direct = program("evaluate", "p.csv", "t.csv", "-l", "mae", "--bare").out
    assert program(*shlex.split(command)[1:], "--bare").out == direct
    assert program("check", "p.csv", "t.csv", "-q") == (0, "", "")


def test_quiet_leaves_only_errors_on_stderr(program):
    program.write(p=csv_text("id,pred", range(51), [*PRED, 1]))
    argv = ["evaluate", "p.csv", "t.csv", "--unmatched", "drop", "--bare"]
    assert program(*argv).err == "losscli: note: 1 prediction without a target dropped, e.g. row 51 (id 50)\n"
    assert program(*argv, "-q").err == ""
    assert program(*argv[:3], "-q").err.startswith("losscli: error: ")


def test_debug_adds_the_traceback(program):
    done = program("evaluate", "no.csv", "t.csv", "--debug")
    assert done.status == 3
    assert done.err.startswith("Traceback")
    assert done.err.endswith("losscli: error: no.csv: no such file\n  -> check the path\n")


def test_a_bug_has_a_status_of_its_own(program, monkeypatch):
    monkeypatch.setattr("losscli.evaluation.run.fold_all", lambda *_: 1 / 0)
    done = program("evaluate", "p.csv", "t.csv")
    assert (done.status, done.out) == (70, "")
    assert done.err == "losscli: bug: ZeroDivisionError: division by zero; --debug shows where\n"


def test_cuda_without_cupy_says_what_to_install(program, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    said = ("--device cuda needs CuPy", "-> pip install 'losscli[gpu]'")
    program.refuses(2, "evaluate", "p.csv", "t.csv", "--device", "cuda", said=said)


def test_intervals_follow_ci(program):
    def bounds(*ci: str) -> tuple[float | None, ...]:
        report = json.loads(program("evaluate", "p.csv", "t.csv", "-l", "mae", *ci, "--json").out)
        result = report["results"][0]
        return result["value"], result["se"], result["ci_low"], result["ci_high"]

    value, se, low, high = bounds()
    errors = np.abs(PRED - Y)
    assert se == pytest.approx(errors.std(ddof=1) / math.sqrt(50), rel=1e-12)
    assert (low, high) == pytest.approx(hall.interval(errors, 0.95), rel=1e-9)
    assert (high - low) / 2 == pytest.approx(2.009575 * se, rel=0.02)  # t(0.975, 49)
    assert bounds("--ci", "0.9")[2:] == pytest.approx(hall.interval(errors, 0.9), rel=1e-9)
    assert bounds("--ci", "none") == (value, None, None, None)


def test_options_are_the_parameters_of_the_catalog_and_inline_wins(program):
    def huber(*argv: str) -> float:
        return program.bare("p.csv", "t.csv", *argv)[0]

    error = np.abs(PRED - Y)
    for delta, argv in (
        (1.0, ["-l", "huber"]),
        (0.25, ["-l", "huber", "--delta", "0.25"]),
        (0.25, ["-l", "huber:delta=0.25"]),
        (0.25, ["-l", "huber:delta=0.25", "--delta", "2"]),
    ):
        expected = np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)).mean()
        assert huber(*argv) == pytest.approx(expected, rel=1e-14)
    # One option serves every chosen loss that has the parameter.
    both = program.bare("p.csv", "t.csv", "-l", "huber", "-l", "pseudo_huber", "--delta", "0.25")
    assert both == [huber("-l", "huber:delta=0.25"), huber("-l", "pseudo_huber:delta=0.25")]


@pytest.mark.parametrize(
    ("name", "by_task"),
    [
        ("log_loss", ("binary_cross_entropy", "categorical_cross_entropy")),
        ("cross_entropy", ("binary_cross_entropy", "categorical_cross_entropy")),
        ("brier", ("brier", "multiclass_brier")),
        ("zero_one", ("zero_one", "multiclass_zero_one")),
        ("focal", ("binary_focal", "categorical_focal")),
        ("hinge", ("hinge", "multiclass_hinge")),
    ],
)
def test_a_short_name_stands_for_one_loss_a_task(name, by_task, program):
    for files, loss in zip(
        (["b.csv", "k.csv", "--positive", "yes"], ["c.csv", "l.csv", "-y", "label"]), by_task, strict=True
    ):
        report = json.loads(program("evaluate", *files, "-l", name, "--json").out)
        assert {result["loss"] for result in report["results"]} == {loss}


def test_explain_lists_every_loss(program):
    catalog = program("explain")
    assert (catalog.status, catalog.err) == (0, "")
    first_words = [line.split()[0] for line in catalog.out.splitlines() if line]
    assert set(first_words) >= {entry.name for entry in registry.list_losses()}
    assert "--eps" not in program("explain", "epsilon_insensitive").out
    assert "best    no fixed value" in program("explain", "gamma_nll").out
    both = program("explain", "log_loss").out
    assert "binary_cross_entropy (binary)" in both
    assert "categorical_cross_entropy (multiclass)" in both
    program.refuses(2, "explain", "hubber", said=("unknown loss 'hubber'. Did you mean huber",))


@pytest.mark.parametrize("entry", first_of(lambda entry: entry.task, registry.list_losses()))
def test_explain_shows_every_loss(entry, losscli):
    shown = losscli("explain", entry.name.upper()).out
    assert entry.summary in shown
    assert entry.reference.split("\n")[0] in shown
    for param in entry.params:
        in_line = f":{param.name}=" in shown and f"{entry.name}:{param.name}=VALUE" in shown
        assert f"--{param.name.replace('_', '-')}" in shown or in_line


def test_no_command_shows_the_help(losscli):
    done = losscli()
    assert done.status == 2
    assert "evaluate" in done.out + done.err
