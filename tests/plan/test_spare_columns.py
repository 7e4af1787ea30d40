"""A column that is left over is never an output, a class, a label or a dimension."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from test_columns import flags, frame, value

import losscli
from losscli.errors import UsageError

PRICES = [203800.0, 196000.0, 219200.0, 203100.0, 183900.0, 210800.0, 248700.0, 228400.0]
SALE = [196800.0, 183300.0, 213000.0, 203500.0, 160600.0, 208600.0, 226600.0, 230100.0]
IDS = [1461, 1462, 1463, 1464, 1465, 1466, 1467, 1468]
MAE = float(np.abs(np.subtract(SALE, PRICES)).mean())
LABELS = ["cat", "dog", "fox", "dog", "cat", "fox"]
PROBS = {
    "cat": [0.7, 0.2, 0.1, 0.3, 0.6, 0.2],
    "dog": [0.2, 0.5, 0.2, 0.4, 0.3, 0.1],
    "fox": [0.1, 0.3, 0.7, 0.3, 0.1, 0.7],
}
LOG_LOSS = float(-np.mean([np.log(PROBS[label][i]) for i, label in enumerate(LABELS)]))


def refused(*args, **options) -> str:
    with pytest.raises(UsageError) as error:
        losscli.evaluate(*args, **options)
    return str(error.value)


@pytest.mark.parametrize("name", ["Id", "ID", "id", "Row_ID"])
def test_a_key_in_any_case_is_no_output(name, tmp_path):
    order = [3, 7, 5, 4, 0, 1, 6, 2]
    p, t = frame(**{name: IDS}, SalePrice=SALE), frame(**{name: IDS}, SalePrice=PRICES)
    p.write_csv(tmp_path / "p.csv")
    for targets in (t, t[order]):
        targets.write_csv(tmp_path / "t.csv")
        assert value(p, targets, loss="mae") == pytest.approx(MAE, rel=1e-15)
        assert value(tmp_path / "p.csv", tmp_path / "t.csv", loss="mae") == pytest.approx(MAE, rel=1e-15)


def test_a_number_of_both_files_is_no_output():
    p, t = frame(id=IDS, store=[1] * 8, sales=SALE), frame(id=IDS, store=[1] * 8, sales=PRICES)
    said = refused(p, t, loss="mae")
    assert "cannot tell the prediction columns among: store, sales" in said
    assert "-p COLUMN" in said
    assert value(p, t, loss="mae", pred="sales") == pytest.approx(MAE)
    # A family is none if another number is beside it: its columns may be features.
    more = {"x1": [1.0] * 8, "x2": [2.0] * 8}
    assert "x1, x2, sales" in refused(
        frame(id=IDS, **more, sales=SALE), frame(id=IDS, **more, sales=PRICES), loss="mae"
    )
    assert "x1, x2, forecast" in refused(
        frame(id=IDS, **more, forecast=SALE), frame(id=IDS, **more, actuals=PRICES), loss="mae"
    )


@pytest.mark.parametrize("index", ["", "Unnamed: 0", "__index_level_0__"])
@pytest.mark.parametrize("both", [False, True])
def test_the_index_of_a_dataframe_has_no_role(index, both, tmp_path):
    column = {index: range(8)}
    p, t = frame(**column, **{"0": SALE}), frame(**(column if both else {}), **{"0": PRICES})
    assert value(p, t, loss="mae") == pytest.approx(MAE)
    probs, labels = frame(**{index: range(6)}, **PROBS), frame(label=LABELS)
    assert value(probs, labels, loss="log_loss") == pytest.approx(LOG_LOSS)
    for name, table in (("p", p), ("t", t)):
        table.write_csv(tmp_path / f"{name}.csv")
    assert value(tmp_path / "p.csv", tmp_path / "t.csv", loss="mae") == pytest.approx(MAE)


def test_a_column_without_a_name_that_is_alone_is_used():
    assert value(frame(**{"": SALE}), frame(**{"": PRICES}), loss="mae") == pytest.approx(MAE)


def test_the_names_of_folders_have_no_role(tmp_path):
    for side, values in (("p", SALE), ("t", PRICES)):
        for year, rows in ((2023, slice(0, 4)), (2024, slice(4, 8))):
            folder = tmp_path / side / f"year={year}"
            folder.mkdir(parents=True)
            frame(id=IDS[rows], sales=values[rows]).write_parquet(folder / "part.parquet")
    p, t = tmp_path / "p", tmp_path / "t"
    assert value(p, t, loss="mae") == pytest.approx(MAE)
    assert losscli.rank(p, targets=t, loss="mae").results[0].value == pytest.approx(MAE)
    assert value(p, t, loss="mae", by="targets.year", pred="sales") == pytest.approx(MAE)


def test_a_column_that_a_flag_names_has_that_role_alone():
    p = frame(**PROBS, fold=[0, 1, 0, 1, 0, 1])
    report = losscli.evaluate(p, frame(label=LABELS), loss="log_loss", by="fold")
    assert report.results[0].value == pytest.approx(LOG_LOSS)
    assert {tuple(result.cell) for result in report.results} == {(), ("class",), ("fold",)}
    t = frame(id=IDS, age=range(8), price=PRICES)
    for option in ({"by": "age:2"}, {"where": "age < 99"}, {"where": "targets.age < 99"}, {"weight": "age"}):
        assert "-y price" in flags(frame(id=IDS, guess=SALE), t, loss="mae", **option)
    # An exact name has its role too, and so has that of the prediction.
    both = {"where": "targets.price > 0"}
    assert "-y price" in flags(frame(id=IDS, price=SALE), frame(id=IDS, price=PRICES), loss="mae", **both)
    assert "-y y" in flags(frame(pred=SALE), frame(y=PRICES), loss="mae", where="y > 0")
    assert "-p pred" in flags(frame(pred=SALE), frame(y=PRICES), loss="mae", by="pred:2")


def test_a_spare_number_is_no_class():
    p, t = frame(**PROBS), frame(label=LABELS)
    assert value(p.with_columns(age=pl.Series(range(6))), t, loss="log_loss") == pytest.approx(LOG_LOSS)
    logits = p.select(pl.all().log() + 1).with_columns(age=pl.Series(range(6)))
    said = refused(logits, t, loss="log_loss", from_logits=True)
    assert "cannot tell the prediction columns among: cat, dog, fox, age" in said
    named = value(logits, t, loss="log_loss", from_logits=True, classes=list(PROBS))
    assert named == pytest.approx(LOG_LOSS)


def test_a_class_whose_label_does_not_occur_is_one_if_probabilities_need_it():
    some = [i for i, label in enumerate(LABELS) if label != "fox"]
    p, t = frame(**PROBS)[some], frame(label=LABELS)[some]
    expected = -np.mean([np.log(PROBS[LABELS[i]][i]) for i in some])
    assert value(p, t, loss="log_loss") == pytest.approx(expected)
    with_age = p.with_columns(age=pl.Series(range(len(some))))
    assert "among: cat, dog, fox, age" in refused(with_age, t, loss="log_loss")


def test_a_number_is_no_prediction_where_text_has_the_labels():
    p = frame(fold=[0, 1, 0, 1, 0, 1], guess=LABELS)
    assert "among: fold, guess" in refused(p, frame(truth=LABELS), loss="zero_one")
    assert value(p, frame(truth=LABELS), loss="zero_one", pred="guess") == 0


BITS = {"news": [1, 0, 1, 0, 1, 1], "sport": [0, 1, 1, 0, 0, 1]}
SCORES = {"news": [0.9, 0.2, 0.8, 0.3, 0.6, 0.7], "sport": [0.4, 0.4, 0.6, 0.2, 0.3, 0.8]}


def test_labels_are_those_of_both_files():
    p, t, loss = frame(**SCORES), frame(**BITS), "multilabel_binary_cross_entropy"
    expected = value(p, t, loss=loss)
    assert value(p.with_columns(age=pl.Series(range(6))), t, loss=loss) == expected
    for spare in (range(6), np.linspace(0.1, 0.9, 6)):
        column = pl.Series("spare", spare)
        refused(p.with_columns(column), t.with_columns(column), loss=loss)
        refused(p, t.with_columns(column), loss=loss)
    holiday = pl.Series("holiday", [0, 1, 0, 0, 1, 0])
    said = refused(p.with_columns(holiday), t.with_columns(holiday), loss=loss)
    assert "holiday has the same values as in targets" in said
    assert "-p news,sport" in said
    fold = pl.Series("fold", [1, 1, 0, 0, 0, 1])
    said = refused(p.with_columns(fold), t.with_columns(holiday.alias("fold")), loss=loss)
    assert "fold has only whole numbers" in said
    flags = {"pred": "news,sport", "target": "news,sport"}
    assert "-p news,sport -y news,sport" in said
    both = p.with_columns(fold), t.with_columns(holiday.alias("fold"))
    assert value(*both, loss=loss, **flags) == value(p, t, loss=loss)


@pytest.mark.parametrize("loss", ["multilabel_binary_cross_entropy", "log_loss", "hamming"])
def test_predictions_of_some_labels_are_an_error(loss):
    said = refused(frame(news=BITS["news"]), frame(**BITS), loss=loss)
    assert "target columns without a prediction: sport" in said
    assert value(frame(news=SCORES["news"]), frame(**BITS), loss=loss, target="news") >= 0


@pytest.mark.parametrize("loss", ["euclidean_distance", "mae"])
def test_predictions_of_some_dimensions_are_an_error(loss):
    t = frame(e0=[1.0, 0.0, 1.0], e1=[0.0, 1.0, 1.0])
    assert "target columns without a prediction: e1" in refused(frame(e0=[1.0, 0.0, 1.0]), t, loss=loss)
    three = t.with_columns(e2=pl.lit(1.0))
    refused(three, t, loss=loss)
    assert value(t, t, loss=loss) == 0


def test_a_spare_number_is_no_dimension():
    p, t = frame(e0=[1.5, 0.0], e1=[0.5, 1.0]), frame(e0=[1.0, 0.5], e1=[0.25, 1.0])
    store = pl.Series("store", [1, 2])
    expected = value(p, t, loss="euclidean_distance")
    assert value(p.with_columns(store), t, loss="euclidean_distance") == expected
    said = refused(p.with_columns(store), t.with_columns(store), loss="euclidean_distance")
    assert "cannot tell which columns are dimensions among: e0, e1, store" in said
    names = {"e0": "width", "e1": "height"}
    p, t = p.rename(names), t.rename(names)
    said = refused(p.with_columns(store), t.with_columns(store + 1), loss="euclidean_distance")
    assert "store has only whole numbers" in said
    assert value(p, t, loss="euclidean_distance") == expected


def test_structs_and_lists_are_the_classes_of_labels(tmp_path):
    structs = pl.DataFrame({"probs": frame(**PROBS).to_struct(), "n": range(6)})
    for options in ({}, {"pred": "probs"}, {"pred": "probs.cat,probs.dog,probs.fox"}):
        report = losscli.evaluate(structs, frame(label=LABELS), loss="log_loss", **options)
        assert report.results[0].value == pytest.approx(LOG_LOSS)
        assert [result.cell.get("class") for result in report.results] == [None, "cat", "dog", "fox"]
    rows = frame(**PROBS).rows()
    (tmp_path / "p.csv").write_text("probs\n" + "".join(f'"{list(row)}"\n' for row in rows))
    (tmp_path / "t.csv").write_text("label\n" + "".join(f"{label}\n" for label in LABELS))
    said = flags(tmp_path / "p.csv", tmp_path / "t.csv", classes="cat,dog,fox")
    assert said.startswith("--task multiclass -p probs -y label")
    found = value(tmp_path / "p.csv", tmp_path / "t.csv", classes="cat,dog,fox", loss="log_loss")
    assert found == pytest.approx(LOG_LOSS)


@pytest.mark.parametrize("labels", [[0, 1, 2, 1, 0, 2], LABELS])
def test_a_matrix_with_labels_is_classification(labels):
    options = {} if labels is not LABELS else {"classes": list(PROBS)}
    assert "--task multiclass" in flags(frame(**PROBS).to_numpy(), labels, **options)
    two = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert "--task multiclass" in flags(two, [False, True], classes="false,true")
    assert "--task ensemble" in flags(two, [0.5, 1.5])
    assert "--task ensemble" in flags(two, [1, 2], loss="crps_ensemble")
    assert "--task ensemble" in flags(two, [1, 2], task="ensemble")
