"""The losses of single rows on Spark: a folder that is written whole or not at all, and the worst rows."""

import polars as pl
import pytest
from support.on_spark import MASTER, PLAIN, both

import losscli
from losscli.data import writer as writing
from losscli.data.folder import Folder, Parts
from losscli.data.writer import publish
from losscli.engines.spark import worker
from losscli.errors import DataError, UsageError

LOSSES = PLAIN | {"loss": ["mae", "huber"], "weight": "w"}


def sources(files, by_key):
    return [files / "preds.parquet", files / "targets.parquet"] if by_key else [files / "lake"]


def options(by_key):
    return LOSSES | ({"on": "id"} if by_key else {})


@pytest.mark.parametrize("by_key", [True, False])
def test_a_folder_has_every_row_once(simulated, files, cut, tmp_path, by_key):
    cut(700)
    paths = list(map(str, sources(files, by_key)))
    local = losscli.evaluate(*paths, **options(by_key), rows=tmp_path / "rows.parquet")
    found = losscli.evaluate(*paths, **options(by_key), rows=tmp_path / "rows", engine=f"spark:{MASTER}")
    assert [each.value for each in found.results] == [each.value for each in local.results]
    rows, names = pl.read_parquet(tmp_path / "rows.parquet"), ["rows", "rows.parquet"]
    on_spark = pl.read_parquet(tmp_path / "rows")
    if by_key:  # rows have no numbers there, and no order
        rows, on_spark = rows.drop("row").sort("id"), on_spark.sort("id")
    assert on_spark.equals(rows)
    assert sorted(each.name for each in tmp_path.iterdir()) == names
    assert len(list((tmp_path / "rows").iterdir())) == 5


def test_groups_are_written(simulated, files, cut, tmp_path):
    cut(1500)
    given = {"pred": "y_pred", "target": "relevance", "group": "user", "loss": "list_mle"}
    path = str(files / "one.parquet")
    losscli.evaluate(path, **given, rows=tmp_path / "rows.parquet")
    losscli.evaluate(path, **given, rows=tmp_path / "rows", engine=f"spark:{MASTER}")
    local, found = pl.read_parquet(tmp_path / "rows.parquet"), pl.read_parquet(tmp_path / "rows")
    assert found["list_mle"].sort().equals(local["list_mle"].sort())


@pytest.mark.parametrize("by_key", [True, False])
def test_the_worst_rows_are_those_of_a_local_run(simulated, files, cut, by_key):
    cut(431)
    local, found = both(*sources(files, by_key), **options(by_key), worst=7)
    expected = [
        {name: value for name, value in row.items() if name != "row" or not by_key} for row in local.worst
    ]
    assert list(found.worst) == expected


def test_the_most_changed_rows_are_those_of_a_local_run(simulated, files, cut):
    cut(431)
    given = {**PLAIN, "on": "id", "targets": str(files / "targets.parquet"), "changed": 6}
    local, found = both(files / "preds.parquet", files / "other.parquet", compare=True, **given)
    assert list(found.changed) == [{k: v for k, v in row.items() if k != "row"} for row in local.changed]
    assert "rows that changed most" in str(found)


def test_nothing_is_left_of_a_run_that_fails(simulated, files, cut, tmp_path):
    cut(700)
    pl.DataFrame({"y_pred": [1.0] * 2999 + [None], "y_true": [1.0] * 3000}).write_parquet(
        tmp_path / "one.parquet"
    )
    with pytest.raises(DataError, match="missing"):
        losscli.evaluate(
            str(tmp_path / "one.parquet"), **PLAIN, rows=tmp_path / "rows", engine=f"spark:{MASTER}"
        )
    assert [each.name for each in tmp_path.iterdir()] == ["one.parquet"]


def test_text_that_has_to_be_read_again_is_written_once(simulated, cut, tmp_path):
    cut(700)
    rows = [f"{i},{i + 1}" for i in range(2999)]
    (tmp_path / "one.csv").write_text(
        "\n".join(["y_pred,y_true", *rows, "9007199254740994,9007199254740994"])
    )
    losscli.evaluate(str(tmp_path / "one.csv"), **PLAIN, rows=tmp_path / "rows", engine=f"spark:{MASTER}")
    assert pl.read_parquet(tmp_path / "rows").height == 3000


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("rows.parquet", "on Spark it is a folder"),
        ("full", "exists already"),
        ("s3://bucket/rows", "a folder that the driver and its workers reach"),
        ("absent/rows", "there is no folder"),
    ],
)
def test_folders_that_cannot_be_new_are_refused(simulated, files, tmp_path, rows, reason):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    place = rows if "://" in rows else tmp_path / rows
    with pytest.raises(UsageError, match=reason):
        losscli.evaluate(str(files / "one.parquet"), **PLAIN, rows=place, engine=f"spark:{MASTER}")
    assert (tmp_path / "full" / "a").exists()


def test_workers_say_if_they_do_not_find_the_folder(simulated, files, tmp_path, monkeypatch):
    elsewhere = Parts(str(tmp_path / "elsewhere"), "rows")
    monkeypatch.setattr(worker.Work, "writer", lambda work, number: elsewhere.writer(number))
    with pytest.raises(UsageError, match="do not find this folder") as found:
        losscli.evaluate(
            str(files / "one.parquet"), **PLAIN, rows=tmp_path / "rows", engine=f"spark:{MASTER}"
        )
    assert "storage that all machines share" in found.value.problems[0].remedy
    assert not list(tmp_path.iterdir())


ROWS = pl.DataFrame({"loss": [1.0, 2.0]})


def write(path, files=1, done=lambda draft: publish([draft]), before_the_end=lambda: None):
    """Write a folder of one part, which says that it has so many files."""
    with Folder(path, done) as folder:
        with folder.parts.writer(0) as part:
            part.put(ROWS)
        folder.finish(files)
        before_the_end()
    return folder


def test_a_part_that_is_tried_again_counts_once(tmp_path):
    with Folder(tmp_path / "rows", lambda draft: publish([draft])) as folder:
        for _ in range(2):
            with folder.parts.writer(0) as part:
                part.put(ROWS)
        given_up = folder.parts.writer(0)
        given_up.put(ROWS)  # and still writes
        folder.finish(1)
    given_up.restart()
    assert pl.read_parquet(tmp_path / "rows").equals(ROWS)
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == ["part-00000.parquet"]


def test_a_part_that_did_not_arrive_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("losscli.data.folder._PATIENCE", 0.0)
    with pytest.raises(DataError, match="workers wrote 2 files, and 1 are here"):
        write(tmp_path / "rows", files=2)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_came_into_being_meanwhile_is_left_alone(tmp_path):
    def come():
        (tmp_path / "rows").mkdir()
        (tmp_path / "rows" / "mine").touch()

    with pytest.raises(DataError, match="rows"):
        write(tmp_path / "rows", before_the_end=come)
    assert [each.name for each in tmp_path.rglob("*")] == ["rows", "mine"]


def test_reports_that_cannot_be_written_take_the_folder_with_them(tmp_path):
    drafts = []
    write(tmp_path / "rows", done=drafts.append)
    with pytest.raises(DataError):
        writing.write([(tmp_path, "a folder is no file")], drafts)
    assert not list(tmp_path.iterdir())
