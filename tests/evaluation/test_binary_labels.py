"""Predicted labels of a binary task are labels, in any form, and never probabilities of the positive one."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn import metrics
from support.grids import some

import losscli
from losscli.errors import UsageError

Y = np.array([1, 0, 0, 1, 1, 1, 0, 1])
P = np.array([1, 1, 0, 0, 1, 1, 0, 1])
FORMS = {
    "0 and 1": {0: 0, 1: 1},
    "-1 and 1": {0: -1, 1: 1},
    "booleans": {0: False, 1: True},
    "text": {0: "no", 1: "yes"},
}


def column(values, form) -> list:
    return [FORMS[form][int(value)] for value in values]


def f1(y, p, positive=1) -> float:
    return 1 - metrics.f1_score(y, p, pos_label=positive)


def name(form, value) -> str:
    return str(FORMS[form][value]).lower()


@pytest.fixture(params=["memory", "csv", "parquet"])
def value(request, tmp_path):
    """The value of the F1 error, of tables in memory or in files."""

    def evaluated(p, t, prediction="pred", **options):
        sides = [pl.DataFrame({prediction: p}), pl.DataFrame({"label": t})]
        if request.param == "memory":
            return losscli.evaluate(*sides, loss="f1_error", **options).results[0].value
        paths = [tmp_path / f"{side}.{request.param}" for side in "pt"]
        for side, path in zip(sides, paths, strict=True):
            getattr(side, f"write_{request.param}")(path)
        return losscli.evaluate(*paths, loss="f1_error", **options).results[0].value

    return evaluated


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("prediction", some(["predicted_label", "pred"]))
@pytest.mark.parametrize("positive", [0, 1])
def test_labels_of_one_form_on_both_sides(form, prediction, positive, value):
    found = value(column(P, form), column(Y, form), prediction, positive=name(form, positive))
    assert found == pytest.approx(f1(Y, P, positive))


@pytest.mark.parametrize("form", ["0 and 1", "-1 and 1", "booleans"])
def test_the_positive_label_of_numbers_is_known(form, value):
    assert value(column(P, form), column(Y, form)) == pytest.approx(f1(Y, P))


@pytest.mark.parametrize("forms", [("booleans", "0 and 1"), ("0 and 1", "booleans")])
@pytest.mark.parametrize("positive", [0, 1])
def test_booleans_are_one_and_zero(forms, positive, value):
    p, t = column(P, forms[0]), column(Y, forms[1])
    assert value(p, t, positive=name(forms[1], positive)) == pytest.approx(f1(Y, P, positive))
    assert value(p, t) == pytest.approx(f1(Y, P))


@pytest.mark.parametrize("form", ["0 and 1", "-1 and 1", "booleans"])
def test_a_negative_prediction_of_targets_that_are_all_positive(form, value):
    ones = np.ones_like(Y)
    assert value(column(P, form), column(ones, form)) == pytest.approx(f1(ones, P))
    found = value(column(P, form), column(ones, form), positive=name(form, 1))
    assert found == pytest.approx(f1(ones, P))


def test_probabilities_stay_probabilities():
    share = [0.9, 0.2, 0.6, 0.4, 0.7, 0.8, 0.1, 0.3]
    p, t = pl.DataFrame({"pred": share}), pl.DataFrame({"label": Y})
    found = losscli.evaluate(p, t, loss="f1_error", positive=0).results[0].value
    assert found == pytest.approx(f1(Y, np.array(share) <= 0.5, 0))
    words = pl.DataFrame({"label": column(Y, "text")})
    found = losscli.evaluate(pl.DataFrame({"pred": P}), words, loss="f1_error", positive="yes")
    assert found.results[0].value == pytest.approx(f1(Y, P))
    # The usual losses of whole numbers need probabilities: 0 and 1 are certain.
    plain = losscli.evaluate(pl.DataFrame({"prob": P}), t)
    assert plain.results[0].loss == "binary_cross_entropy"


def test_booleans_have_the_usual_losses_of_labels():
    p, t = pl.DataFrame({"pred": P > 0}), pl.DataFrame({"label": Y > 0})
    for targets in (t, pl.DataFrame({"label": Y})):
        found = [each.loss for each in losscli.evaluate(p, targets).results if not each.cell]
        assert found == ["zero_one", "balanced_error", "f1_error"]
    with pytest.raises(UsageError, match="needs probabilities or scores"):
        losscli.evaluate(pl.DataFrame({"predicted_label": P}), t, loss="brier", task="binary")
