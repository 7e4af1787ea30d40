"""How the names and parameters of losses are read."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from support.samples import LOSSES

from losscli.catalog import params, registry
from losscli.catalog.hints import HINTS, squeezed
from losscli.catalog.params import Param
from losscli.errors import UsageError
from losscli.tasks.regression import Regression

# Names


@pytest.mark.parametrize(
    ("name", "meant"),
    {
        "log_loss": "binary_cross_entropy categorical_cross_entropy multilabel_binary_cross_entropy",
        "cross_entropy": "binary_cross_entropy categorical_cross_entropy multilabel_binary_cross_entropy",
        "focal": "binary_focal categorical_focal",
        "brier": "brier multiclass_brier",
        "hinge": "hinge multiclass_hinge",
        "zero_one": "zero_one multiclass_zero_one subset_zero_one",
        "d2_log_loss": "d2_log_loss d2_log_loss_multiclass",
        "mse": "mean_squared_error",
        "CrossEntropyLoss": "categorical_cross_entropy",
        "HUBERLOSS": "huber",
        "Log Loss": "binary_cross_entropy categorical_cross_entropy multilabel_binary_cross_entropy",
        "cross-entropy": "binary_cross_entropy categorical_cross_entropy multilabel_binary_cross_entropy",
        "crossentropy": "binary_cross_entropy categorical_cross_entropy multilabel_binary_cross_entropy",
        "mean squared error": "mean_squared_error",
        "smooth-L1": "smooth_l1",
    }.items(),
)
def test_a_name_means_one_loss_a_task(name, meant):
    found = registry.find(name)
    assert [entry.name for entry in found] == meant.split()
    assert len({entry.task for entry in found}) == len(found)


def test_an_unknown_name_is_an_error_that_suggests_near_ones():
    with pytest.raises(UsageError, match=r"unknown loss 'hubre'\. Did you mean huber"):
        registry.find("hubre")


@pytest.mark.parametrize(
    ("name", "said", "remedy"),
    [
        (
            "QWK",
            "it is cohen_kappa with weighting=quadratic",
            "-l multiclass_cohen_kappa:weighting=quadratic",
        ),
        (
            "emd",
            "distances of samples are wasserstein_distance",
            "-l wasserstein_distance, or -l crps, or -l rps",
        ),
        (
            "R-Precision",
            "precision_at_k with k the number",
            "-l precision_at_k:k=5, or -l mean_average_precision",
        ),
        ("youdens_j", "it is 2 balanced_accuracy - 1", "-l balanced_accuracy"),
        ("MdAPE", "mape@p50 is that of percentages", "-l mape@p50"),
        ("ndcg@10", "'ndcg@10': the number of ranks is a parameter", "-l ndcg:k=10"),
        ("Precision@5", "'Precision@5': the number of ranks is a parameter", "-l precision_at_k:k=5"),
        ("hit_rate@3", "'hit_rate@3': the number of ranks is a parameter", "-l hit_rate_at_k:k=3"),
        ("rmse score", r"unknown loss 'rmse score'. Did you mean rmse\?", "losscli explain lists all losses"),
    ],
)
def test_a_well_known_name_says_what_there_is(name, said, remedy):
    with pytest.raises(UsageError, match=said) as caught:
        registry.find(name)
    assert caught.value.problems[0].remedy == remedy


@pytest.mark.parametrize("name", HINTS)
def test_a_hint_names_losses_and_is_of_no_loss(name):
    for request in HINTS[name].losses:
        loss, inline = registry.parse(request)
        assert all(registry.choose(entry, inline, {}) for entry in registry.find(loss) if inline)
    with pytest.raises(UsageError, match="unknown loss"):
        registry.find(name)
    assert squeezed(name) == name


def test_a_hint_names_in_its_text_only_what_there_is():
    words = {word for hint in HINTS.values() for word in re.findall(r"[a-z0-9]+(?:_[a-z0-9]+)+", hint.text)}
    assert words <= set(registry.names())


def test_a_task_that_does_not_exist_is_an_error():
    assert {entry.task for entry in registry.list_losses("binary")} == {"binary"}
    with pytest.raises(UsageError, match=r"task must be regression, .*got 'binry'\. Did you mean binary\?"):
        registry.list_losses("binry")


def test_no_two_losses_share_a_name():
    others = [f"another_{i}" for i in range(20)]
    with pytest.raises(ValueError, match="huber_loss"):

        @registry.loss(*others, "huber_loss")
        def another(batch: Regression):
            """A loss that takes the name of another."""

    assert "another" not in {entry.name for entry in registry.list_losses()}
    assert not {"another", *others}.intersection(registry.names()), "half of it was registered"


# Parameters


@pytest.mark.parametrize(
    ("text", "name", "given"),
    [
        ("huber", "huber", {}),
        (" huber : delta = 2 ", "huber", {"delta": "2"}),
        ("focal:gamma=2,alpha=.25", "focal", {"gamma": "2", "alpha": ".25"}),
        ("log_loss:label-smoothing=.1", "log_loss", {"label_smoothing": ".1"}),
    ],
)
def test_a_loss_is_written_with_its_parameters(text, name, given):
    assert registry.parse(text) == (name, given)


def test_a_parameter_without_a_value_is_an_error():
    with pytest.raises(UsageError, match="written name=value"):
        registry.parse("huber:2")


def test_in_line_parameters_go_before_options_and_options_before_defaults():
    focal = LOSSES["binary_focal"]
    choice = registry.choose(focal, {"gamma": "3"}, {"gamma": "1", "alpha": "0.5", "delta": "9"})
    assert choice.params == {"gamma": 3.0, "alpha": 0.5}
    assert str(choice) == "binary_focal:gamma=3.0,alpha=0.5"
    assert str(registry.choose(focal, {}, {})) == "binary_focal"


def test_parameters_that_must_rise_are_checked_with_the_defaults_of_the_others():
    hampel = LOSSES["hampel"]
    assert registry.choose(hampel, {"a": "3"}, {}).params == {"a": 3.0, "b": 4.0, "c": 8.0}
    with pytest.raises(UsageError, match="hampel needs a < b < c, got a=2, b=8, c=8"):
        registry.choose(hampel, {"b": "8"}, {})


def test_all_wrong_parameters_are_told_at_once():
    with pytest.raises(UsageError) as error:
        registry.choose(LOSSES["binary_focal"], {"gama": "1", "gamma": "-1", "alpha": "x"}, {})
    assert "no parameter 'gama'. Did you mean gamma" in str(error.value)
    assert "gamma must be a number >= 0, got -1" in str(error.value)
    assert "alpha must be a number >= 0, <= 1, or none, got x" in str(error.value)


@pytest.mark.parametrize(
    ("annotation", "accepted", "refused", "words"),
    [
        (params.Real, {"-1e3": -1000.0, 2: 2.0}, ["", "x", "nan", True, None, "none", []], "a number"),
        (params.Positive, {"1e-9": 1e-9}, ["0", "-1", 0, "inf"], "a number > 0"),
        (params.NonNegative, {"0": 0.0}, ["-1e-300"], "a number >= 0"),
        (params.Unit, {"0": 0.0, "1": 1.0}, ["-0.1", "1.0000001"], "a number >= 0, <= 1"),
        (params.OpenUnit, {"0.5": 0.5}, ["0", "1"], "a number > 0, < 1"),
        (params.UnitBelowOne, {"0": 0.0}, ["1"], "a number >= 0, < 1"),
        (params.Count, {"3": 3, 1: 1, "2.0": 2}, ["0", "1.5", "inf", False], "a whole number >= 1"),
        (params.Power, {"-1": -1.0, "0": 0.0, "1": 1.0, "3": 3.0}, ["0.5"], "a number not between 0 and 1"),
        (params.Unit | None, {"none": None, "None": None, "1": 1.0}, ["2"], "a number >= 0, <= 1, or none"),
        (bool, {"true": True, "False": False, True: True}, ["1", "yes", 0, None], "true or false"),
        (Literal["l1", "max"], {"l1": "l1"}, ["L3", "", None, 1], "l1 or max"),
        (Literal["l1", "max"] | None, {"none": None}, ["l2"], "l1, max or none"),
    ],
)
def test_a_parameter_takes_its_range_and_nothing_else(annotation, accepted, refused, words):
    param = Param.of("parameter", annotation, ...)
    assert param.required
    assert param.describe() == words
    for text, parsed in accepted.items():
        found = param.parse(text)
        assert found == parsed
        assert type(found) is type(parsed)
    for text in refused:
        with pytest.raises(UsageError, match=f"parameter must be {re.escape(words)}, got "):
            param.parse(text)


def test_a_parameter_without_a_range_is_refused_when_the_loss_is_made():
    with pytest.raises(TypeError, match="without a range"):
        Param.of("delta", float, 1.0)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("roc-auc", {"roc_auc", "multiclass_roc_auc", "multilabel_roc_auc"}),
        ("median absolute error", {"median_absolute_error"}),
        ("medae", {"median_absolute_error"}),
        ("POD", {"recall"}),
        ("FAR", {"false_discovery_rate"}),
        ("pofd", {"false_positive_rate"}),
        ("csi", {"critical_success_index", "jaccard_index"}),
        ("HSS", {"cohen_kappa", "multiclass_cohen_kappa"}),
        ("ETS", {"equitable_threat_score"}),
        ("R_squared", {"r2"}),
        ("huber@p95", {"huber@p95"}),
        ("MAE @ P99.90", {"mean_absolute_error@p99.9"}),
        ("mae@p99.9999999999999", {"mean_absolute_error@p99.9999999999999"}),
    ],
)
def test_names_of_the_field(name, found):
    assert {entry.name for entry in registry.find(name)} == found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("r2@p50", "r2 is not a mean of row losses, so r2@p50 is not defined"),
        ("rmse@p90", "root_mean_squared_error is not a mean of row losses"),
        ("brier@p99@p50", "brier@p99 is a quantile already"),
        ("mae@p0", "a quantile is written @p50, @p95 or @p99.9, between @p0 and @p100"),
        ("mae@p100", "a quantile is written @p50"),
        ("mae@95", "unknown loss 'mae@95'"),
        ("hubber@p95", "unknown loss 'hubber'"),
    ],
)
def test_what_is_no_quantile_of_rows(name, said):
    with pytest.raises(UsageError, match=said):
        registry.find(name)
