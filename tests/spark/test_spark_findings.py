"""What is wrong with rows is found on Spark as in a local run, with the same counts and remedies."""

import polars as pl
import pytest
from msgspec.structs import replace
from support.on_spark import MASTER

import losscli
from losscli.cli.app import run
from losscli.errors import DataError, UsageError
from losscli.evaluation import partial
from losscli.plan.distributed import require_possible
from losscli.plan.placement import Place
from losscli.plan.resolve import prepare

OPTIONS_OF_ONE = {"pred": "y_pred", "target": "y_true", "loss": "mae"}
OPTIONS = {"pred": "p", "target": "y", "on": "id", "loss": "mae", "weight": "w"}


@pytest.fixture
def dirty(tmp_path):
    """Two files of 60 rows with every kind of wrong row."""
    ids = list(range(60))
    predictions = pl.DataFrame({"id": [*ids[:55], 3, 3, None, 100, 101], "p": [1.0] * 60}).with_columns(
        p=pl.when(pl.col("id") == 7).then(None).when(pl.col("id") == 8).then(float("nan")).otherwise("p")
    )
    targets = pl.DataFrame({"id": [*ids[:57], 4, None, None], "y": [2.0] * 60, "w": [1.0] * 60}).with_columns(
        y=pl.when(pl.col("id") == 9).then(float("inf")).otherwise("y"),
        w=pl.when(pl.col("id") == 10).then(-1.0).when(pl.col("id") == 11).then(0.0).otherwise("w"),
    )
    predictions.write_parquet(tmp_path / "p.parquet")
    targets.write_parquet(tmp_path / "t.parquet")
    return str(tmp_path / "p.parquet"), str(tmp_path / "t.parquet")


def problems(*sources, **options):
    with pytest.raises((DataError, UsageError)) as found:
        losscli.evaluate(*sources, **options)
    return (
        type(found.value),
        [(each.what, each.where, each.remedy, each.code) for each in found.value.problems],
        [example for each in found.value.problems for example in each.examples],
    )


def test_all_problems_are_reported(simulated, cut, dirty):
    cut(25)
    kind, local, _ = problems(*dirty, **OPTIONS)
    other, on_spark, examples = problems(*dirty, **OPTIONS, engine=f"spark:{MASTER}")
    assert (kind, sorted(local)) == (other, sorted(on_spark))
    assert len(local) > 6
    assert not [example for example in examples if "row" in example]


def test_rows_are_dropped(simulated, cut, tmp_path):
    cut(25)
    frame = pl.DataFrame(
        {"id": range(90), "p": [1.0, None, 3.0] * 30, "y": [2.0] * 90, "w": [0.0] + [1.0] * 89}
    )
    frame[:80].select("id", "p").write_parquet(tmp_path / "p.parquet")
    frame[10:].reverse().select("id", "y", "w").write_parquet(tmp_path / "t.parquet")
    paths = str(tmp_path / "p.parquet"), str(tmp_path / "t.parquet")
    options = OPTIONS | {"missing": "drop", "unmatched": "drop", "where": "id > 20"}
    local = losscli.evaluate(*paths, **options)
    found = losscli.evaluate(*paths, **options, engine=f"spark:{MASTER}")
    plain = [{(note.code, note.count) for note in report.findings} for report in (local, found)]
    assert plain[0] == plain[1]
    assert local.results == found.results


def test_no_key_matches(simulated, cut, tmp_path):
    cut(25)
    pl.DataFrame({"id": [f"a{i}" for i in range(50)], "p": [1.0] * 50}).write_parquet(tmp_path / "p.parquet")
    pl.DataFrame({"id": [f"A{i}" for i in range(50)], "y": [1.0] * 50}).write_parquet(tmp_path / "t.parquet")
    options = {"pred": "p", "target": "y", "on": "id", "loss": "mae", "engine": f"spark:{MASTER}"}
    _, found, _ = problems(str(tmp_path / "p.parquet"), str(tmp_path / "t.parquet"), **options)
    assert [code for *_, code in found] == ["no-key-matches"]


def test_text_that_is_no_number_has_its_row(simulated, cut, tmp_path):
    rows = [f"{i},{i}" for i in range(3000)]
    rows[2500] = "oops,1"
    (tmp_path / "one.csv").write_text("\n".join(["p,y", *rows]))
    options = {"pred": "p", "target": "y", "loss": "mae"}
    local = problems(str(tmp_path / "one.csv"), **options)
    assert problems(str(tmp_path / "one.csv"), **options, engine=f"spark:{MASTER}") == local
    assert local[2] == ["row 2501: 'oops'"]


def test_numbers_of_rows_are_those_of_all_files(simulated, cut, tmp_path):
    cut(30)
    for part in range(3):
        p = [None if part == 2 and i == 4 else 1.0 for i in range(50)]
        pl.DataFrame({"p": p, "y": [1.0] * 50}).write_parquet(tmp_path / f"{part}.parquet")
    options = {"pred": "p", "target": "y", "loss": "mae"}
    local = problems(str(tmp_path), **options)
    assert problems(str(tmp_path), **options, engine=f"spark:{MASTER}") == local
    assert local[2] == ["row 105"]


def test_an_error_of_a_task_ends_the_run_at_once(simulated, tmp_path, monkeypatch):
    monkeypatch.setattr(partial, "MAX_SLICES", 100_000)
    frame = pl.DataFrame({"p": [1.0] * 100_001, "y": [1.0] * 100_001, "k": range(100_001)})
    frame.write_parquet(tmp_path / "one.parquet")
    options = {"pred": "p", "target": "y", "loss": "mae", "by": "k"}
    with pytest.raises(UsageError, match="more than 100,000 slices") as found:
        losscli.evaluate(str(tmp_path / "one.parquet"), **options, engine=f"spark:{MASTER}")
    assert found.value.status == 2


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"on": "position"}, "position cannot align"),
        ({"on": "id", "engine": "spark:"}, "must be local"),
    ],
)
def test_what_cannot_run_there_is_refused_with_the_reason(simulated, files, options, reason):
    given = {"pred": "y_pred", "target": "y_true", "loss": "mae", "engine": f"spark:{MASTER}"} | options
    with pytest.raises(UsageError, match=reason):
        losscli.evaluate(str(files / "preds.parquet"), str(files / "targets.parquet"), **given)


def test_data_of_this_process_are_refused(simulated):
    with pytest.raises(UsageError, match="in this process alone"):
        losscli.evaluate({"p": [1.0], "y": [1.0]}, pred="p", target="y", loss="mae", engine=f"spark:{MASTER}")


def test_a_plan_says_what_cannot_run_there(simulated, files, capsys):
    paths = str(files / "preds.parquet"), str(files / "targets.parquet")
    options = ["--pred", "y_pred", "--target", "y_true", "-l", "mae", "--engine", "spark", "--dry-run"]
    assert run(["evaluate", *paths, *options, "--on", "position"]) == 2
    assert "position cannot align them" in capsys.readouterr().err
    plan = prepare(*paths, **OPTIONS_OF_ONE, on="id", engine="spark", device="auto")
    assert plan.plan.place == Place("cpu", "Spark computes on CPUs")
    with pytest.raises(UsageError, match="--device cuda: Spark computes on CPUs"):
        require_possible("spark", replace(plan.plan, place=Place("cuda")), plan.alignment)
    assert run(["evaluate", *paths, *options, "--on", "id"]) == 0


def test_a_leaderboard_says_why_it_needs_one_process(capsys):
    assert run(["rank", "a.csv", "b.csv", "-t", "t.csv", "--engine", "spark"]) == 2
    assert "losscli compare A B ... -t TARGETS runs on Spark" in capsys.readouterr().err
    with pytest.raises(UsageError, match="rank has no option 'engine'") as found:
        losscli.rank("a.csv", "b.csv", targets="t.csv", engine="spark")
    assert "runs on Spark" in found.value.problems[0].remedy
    with pytest.raises(UsageError, match="table:a: a leaderboard compares"):
        losscli.rank("table:a", "b.csv", targets="t.csv")


def test_a_bootstrap_of_rows_without_numbers_or_a_key_is_refused(files):
    plan = prepare(str(files / "one.parquet"), **OPTIONS_OF_ONE, ci_method="bootstrap")
    frame = replace(plan.tables[0], is_numbered=False)
    unnumbered = replace(plan.alignment, predictions=frame, targets=frame)
    with pytest.raises(UsageError, match="draws rows without a key by number"):
        require_possible("spark", plan.plan, unnumbered)
    require_possible("local", plan.plan, unnumbered)
    require_possible("spark", plan.plan, plan.alignment)
