"""losscli explain: the catalog, a loss with its curve and its names elsewhere, and a loss on files."""

import json
import math
import re
import sys

import numpy as np
import polars as pl
import pytest
from support.grids import some

from losscli.catalog import equivalents, registry
from losscli.catalog.loss import Choice
from losscli.explanation import curve, formula, pager
from losscli.explanation.examples import examples
from losscli.explanation.model import PRECISION

RNG = np.random.default_rng(23)
N = 700
Y = RNG.normal(50, 10, N)
PRED = Y + RNG.standard_t(3, N) * 4
ERROR = PRED - Y
WEIGHT = RNG.integers(0, 4, N).astype(float)
EVENT = (RNG.random(N) < 0.4).astype(int)
PROB = np.clip(np.where(EVENT == 1, 0.7, 0.25) + RNG.normal(0, 0.3, N), 0.002, 0.998)
PROBS = RNG.dirichlet([1.0, 1.0, 1.0], N)
LABELS = RNG.integers(0, 3, N)


@pytest.fixture
def files(losscli):
    ids = np.arange(N)
    losscli.write(
        p_parquet=pl.DataFrame({"id": ids, "pred": PRED, "other": PRED + 1}),
        t_parquet=pl.DataFrame({"id": ids, "y": Y, "y2": Y, "w": WEIGHT}),
        b=pl.DataFrame({"prob": PROB, "label": EVENT}),
        c_parquet=pl.DataFrame({**{f"prob_{i}": PROBS[:, i] for i in range(3)}, "label": LABELS}),
    )
    return losscli


PAIR = ("p.parquet", "t.parquet", "-p", "pred", "-y", "y")


def data(files, *argv):
    done = files("explain", *argv, "--json")
    assert (done.status, done.err) == (0, ""), done.err
    return json.loads(done.out)["data"]


def choices():
    """Every loss with parameters that it takes: 1.5 where one is required."""
    for entry in registry.list_losses():
        needed = {param.name: 1.5 for param in entry.params if param.required}
        if all(entry.param(name).range is not None and 1.5 in entry.param(name).range for name in needed):
            yield registry.choose(entry, {}, needed)


OF_RESIDUALS = [each for each in choices() if each.loss.batch.axis == "residual" and curve.has_curve(each)]


# The curve


@pytest.mark.parametrize("loss", some(OF_RESIDUALS), ids=str)
def test_a_curve_is_what_the_loss_gives_rows_at_those_places(loss, files):
    drawn = curve.drawing(loss, 40)
    at = drawn.low + (np.arange(40) + 0.5) * (drawn.high - drawn.low) / 40
    for value, place in zip(drawn.own[0].values[::13], at[::13], strict=True):
        files.write(q_parquet=pl.DataFrame({"y_pred": [7.0 + place], "y_true": [7.0]}))
        assert files.bare("q.parquet", "-l", str(loss)) == pytest.approx([value], rel=1e-9, abs=1e-12)


def test_curves_of_huber_are_its_formula_and_both_of_its_branches():
    drawn = curve.drawing(choice("huber:delta=2"), 9, reach=4.5)
    at = np.arange(-4, 5)
    size = np.abs(at)
    assert drawn.own[0].values == pytest.approx(np.where(size <= 2, at**2 / 2, 2 * (size - 1)))
    assert [each.label for each in drawn.beside] == ["e^2 / 2", "delta (|e| - delta / 2)"]
    assert drawn.beside[0].values == pytest.approx(at**2 / 2)
    assert drawn.beside[1].values == pytest.approx(2 * size - 2)


@pytest.mark.parametrize(
    ("text", "labels"),
    {
        "mae": ["mean_squared_error"],
        "mse": ["mean_absolute_error"],
        "log_cosh": ["half_squared_error", "mean_absolute_error"],
        "half_squared_error": ["mean_squared_error", "mean_absolute_error"],
        "smooth_l1": ["e^2 / (2 beta)", "|e| - beta / 2"],
        "expectile:alpha=0.3": ["alpha e^2", "(1 - alpha) e^2"],
        "num_errors:greater_than=1": ["mean_squared_error", "mean_absolute_error"],
        "hinge": ["soft_margin", "zero_one"],
        "multiclass_hinge": ["categorical_cross_entropy", "multiclass_zero_one"],
    }.items(),
)
def test_a_curve_is_compared_with_what_has_a_meaning_for_it(text, labels):
    assert [each.label for each in curve.drawing(choice(text), 20).beside] == labels


def test_curves_of_probabilities_are_those_of_the_true_class():
    at = (np.arange(50) + 0.5) / 50
    focal = curve.drawing(choice("binary_focal:gamma=2"), 50)
    assert (focal.axis, focal.low, focal.high, len(focal.own)) == ("probability", 0.0, 1.0, 1)
    assert focal.own[0].values == pytest.approx(-((1 - at) ** 2) * np.log(at))
    assert focal.beside[0].values == pytest.approx(-np.log(at))
    assert focal.beside[1].values == pytest.approx((1 - at) ** 2)
    brier = curve.drawing(choice("multiclass_brier"), 50)
    assert brier.own[0].values == pytest.approx((1 - at) ** 2 * 1.5)
    assert brier.beside[0].values == pytest.approx(-np.log(at))


def test_a_loss_that_treats_classes_apart_has_a_curve_for_each():
    at = (np.arange(50) + 0.5) / 50
    positive, negative = curve.drawing(choice("binary_focal:alpha=0.2,gamma=0"), 50).own
    assert (positive.label[-18:], negative.label[-18:]) == ("the positive class", "the negative class")
    assert positive.values == pytest.approx(-0.2 * np.log(at))
    assert negative.values == pytest.approx(-0.8 * np.log(at))


def test_curves_of_margins_stand_beside_the_log_loss_of_the_logit():
    drawn = curve.drawing(choice("hinge"), 41, reach=4.1)
    at = np.linspace(-4, 4, 41)
    assert drawn.own[0].values == pytest.approx(np.maximum(1 - at, 0), abs=1e-12)
    assert drawn.beside[0].values == pytest.approx(np.log1p(np.exp(-at)))


@pytest.mark.parametrize(
    "name",
    ["r2", "root_mean_squared_error", "mape", "mean_poisson_deviance", "f1_error", "hamming", "max_error"],
)
def test_a_loss_that_is_no_function_of_a_place_has_no_curve(name, files):
    assert curve.drawing(choice(name), 10) is None
    assert "**" not in files("explain", name).out


def test_every_curve_that_is_drawn_is_finite():
    for each in choices():
        drawn = curve.drawing(each, 30)
        if drawn is not None:
            assert all(math.isfinite(value) for line in drawn.own for value in line.values), str(each)


def choice(text: str) -> Choice:
    name, inline = registry.parse(text)
    return registry.choose(registry.find(name)[0], inline, {})


# Two rows with the numbers in the formula


def test_two_rows_have_their_numbers_in_the_branch_that_holds(files):
    assert [(each.formula, each.loss) for each in examples(choice("huber:delta=2"))] == [
        ("1^2 / 2", 0.5),
        ("2 * (|-4| - 2 / 2)", 6.0),
    ]
    out = files("explain", "huber:delta=2").out
    assert "\n     6           2  -4  2 * (|-4| - 2 / 2) = 6\n" in out


@pytest.mark.parametrize("loss", some(choices()), ids=str)
def test_two_rows_are_what_the_loss_gives_them(loss, files):
    for each in examples(loss):
        if loss.loss.task == "regression":
            files.write(
                q_parquet=pl.DataFrame({"y_pred": [each.row["prediction"]], "y_true": [each.row["target"]]})
            )
            assert files.bare("q.parquet", "-l", str(loss)) == pytest.approx([each.loss], rel=1e-9, abs=1e-12)
        assert math.isfinite(each.loss)


def test_most_formulas_are_shown_with_numbers():
    shown = [
        each.formula != "" for loss in choices() for each in examples(loss) if loss.loss.task == "regression"
    ]
    assert sum(shown) > 0.7 * len(shown)


@pytest.mark.parametrize(
    ("text", "names", "value", "written"),
    [
        ("2 c |e|", {"c": 3.0, "e": -2.0}, 12.0, "2 * 3 * |-2|"),
        ("e^2 / (2 beta)", {"beta": 2.0, "e": -2.0}, 1.0, "(-2)^2 / (2 * 2)"),
        ("a^2 (1 - cos(e / a))", {"a": 1.0, "e": 0.0}, 0.0, "1^2 * (1 - cos(0 / 1))"),
        ("-log p_y", {"p_y": 1.0}, 0.0, "-log 1"),
        ("log cosh e", {"e": 1.0}, None, "log cosh 1"),
        ("sum_c t_c", {"e": 1.0}, None, "sum_c * t_c"),
    ],
)
def test_a_formula_is_evaluated_as_it_is_written(text, names, value, written):
    found = formula.value(text, names)
    assert value is None if found is None else found == pytest.approx(value)
    assert formula.with_numbers(text, names) == written


# Pages on a terminal


@pytest.fixture
def in_terminal(monkeypatch, tmp_path):
    """A pager that keeps what it is given, and a terminal of ten lines; the text shown and that on stderr."""
    kept = tmp_path / "kept"
    monkeypatch.setenv(
        "PAGER", f"{sys.executable} -c \"import sys; open('{kept}', 'w').write(sys.stdin.read())\""
    )
    monkeypatch.setenv("TERM", "xterm")
    return kept


def test_what_does_not_fit_is_paged_and_that_is_said(in_terminal, capfd):
    pager.show("line\n" * 10, height=10)
    assert in_terminal.read_text() == "line\n" * 10
    out, err = capfd.readouterr()
    assert out == ""
    assert "10 lines, shown in" in err


def test_what_fits_is_not_paged(in_terminal, capfd):
    pager.show("line\n" * 9, height=10)
    assert not in_terminal.exists()
    assert capfd.readouterr() == ("line\n" * 9, "")


@pytest.mark.parametrize(("variable", "value"), [("TERM", "dumb"), ("PAGER", "no-such-pager")])
def test_without_a_pager_all_is_printed(variable, value, in_terminal, monkeypatch, capfd):
    monkeypatch.setenv(variable, value)
    pager.show("line\n" * 10, height=10)
    assert capfd.readouterr() == ("line\n" * 10, "")


def test_nothing_is_paged_in_a_pipe(in_terminal, files):
    assert len(files("explain").out.splitlines()) > 100
    assert not in_terminal.exists()


# The page of a loss


def test_parameters_change_the_curve(files):
    default, two, inline = (
        files("explain", *argv).out for argv in (["huber"], ["huber", "--delta", "2"], ["huber:delta=2"])
    )
    assert two == inline
    assert drawing(two) != drawing(default)
    assert "** huber:delta=2.0" in two


def test_json_has_the_curve_with_its_parameters(files):
    (huber,) = json.loads(files("explain", "huber:delta=2", "--json").out)["losses"]
    drawn = curve.drawing(choice("huber:delta=2"), 100)
    assert (huber["curve"]["axis"], huber["curve"]["low"], huber["curve"]["high"]) == ("residual", -4, 4)
    (own,) = huber["curve"]["own"]
    assert (own["label"], tuple(own["values"])) == ("huber:delta=2.0", drawn.own[0].values)
    assert [each["label"] for each in huber["curve"]["beside"]] == [
        "e^2 / 2",
        "delta (|e| - delta / 2)",
    ]
    assert [each["loss"] for each in huber["examples"]] == [0.5, 6.0]
    (r2,) = json.loads(files("explain", "r2", "--json").out)["losses"]
    assert (r2["curve"], r2["examples"]) == (None, [])


def drawing(page: str) -> str:
    return "\n".join(line for line in page.splitlines() if "│" in line)


def test_a_pipe_gets_no_escape_codes_and_no_long_drawing(files):
    page = files("explain", "huber").out
    assert "\x1b" not in page
    assert max(len(line) for line in page.splitlines() if "│" in line) <= 80


def test_a_terminal_gets_dots_in_colours_as_wide_as_it_is(files, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for columns in (50, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        page = files("explain", "huber").out
        assert "\x1b[" in page
        (axis,) = (line for line in page.splitlines() if "└" in line)
        assert axis.count("─") == min(columns, 100) - 10
    monkeypatch.setenv("NO_COLOR", "1")
    assert "** huber" in re.sub(r"\x1b\[\d*m", "", files("explain", "huber").out)


def test_where_a_parameter_is_required_there_is_a_curve_with_it_alone(files):
    assert "**" not in files("explain", "lq").out
    assert "** lq:q=1.5" in files("explain", "lq", "--q", "1.5").out


def test_a_page_ends_with_what_libraries_call_it(files):
    page = files("explain", "huber").out
    table = page[page.index("elsewhere") :]
    for entry in equivalents.of("huber"):
        assert entry.library in table
        assert entry.call in table
    assert "XGBoost       mphe" in table
    assert "never: only Pseudo-Huber" in table
    assert table.rstrip().endswith("labels are float32")


def test_a_short_name_shows_each_task_and_a_parameter_or_task_picks_one(files):
    page = files("explain", "log_loss").out
    assert page.index("binary_cross_entropy (binary)") < page.index("categorical_cross_entropy (multiclass)")
    assert "(multiclass)" not in files("explain", "log_loss", "--task", "binary").out
    assert "(multiclass)" not in files("explain", "log_loss", "--pos-weight", "2").out


def test_a_loss_that_the_user_writes_has_its_curve_and_its_rows(files):
    text = "expr: where(abs(e) < 2, e**2 / 2, 2 * abs(e) - 2)"
    own = files("explain", text, "--task", "regression").out
    of_huber = files("explain", "huber", "--delta", "2").out
    curves = [drawing(page).replace("+", " ").replace(".", " ") for page in (own, of_huber)]
    assert [line.rstrip() for line in curves[0].splitlines()] == [
        line.rstrip() for line in curves[1].splitlines()
    ]
    assert "elsewhere" not in own
    size = np.abs(ERROR)
    found = data(files, text, *PAIR)
    assert found["value"] == pytest.approx(np.where(size < 2, size**2 / 2, 2 * size - 2).mean())


# The catalog


def test_words_search_names_aliases_summaries_formulas_and_libraries(files):
    for words, name in [
        ("mae", "mean_absolute_error"),
        ("LOG_COSH", "log_cosh"),
        ("outliers robust", "huber"),
        ("mphe", "pseudo_huber"),
        ("lightgbm fair_c", "fair"),
        ("doi:10.2307/1913643", "pinball"),
    ]:
        found = files("explain", "--search", words).out
        assert name in found
        assert "r2 " not in found
    listed = files("explain", "--task", "binary").out.splitlines()
    names = [line.split()[0] for line in listed[1:] if line and "NAME" not in line]
    assert names == [entry.name for entry in registry.list_losses("binary")]


def test_json_lists_all_that_is_known_of_all_losses(files):
    content = json.loads(files("explain", "--json").out)
    assert content["schema"] == 1
    assert [each["name"] for each in content["losses"]] == [entry.name for entry in registry.list_losses()]
    (huber,) = json.loads(files("explain", "HuberLoss", "--json").out)["losses"]
    assert {key: value for key, value in huber.items() if key not in ("curve", "examples")} in content[
        "losses"
    ]
    assert (huber["name"], huber["task"], huber["unit"]) == ("huber", "regression", "target^2")
    assert (huber["best"], huber["score"]) == (0, False)
    assert huber["aliases"] == ["huber_loss", "HuberLoss", "HuberT"]
    assert huber["params"] == [
        {"name": "delta", "range": "a number > 0", "required": False, "default": 1.0, "option": "--delta"}
    ]
    (xgboost,) = (each for each in huber["elsewhere"] if each["library"] == "XGBoost")
    assert (xgboost["call"], xgboost["agrees"]) == ("mphe", False)
    (lq,) = (each for each in content["losses"] if each["name"] == "lq")
    assert lq["params"][0] == {
        "name": "q",
        "range": "a number >= 1",
        "required": True,
        "default": None,
        "option": "--q",
    }
    (svr,) = (each for each in content["losses"] if each["name"] == "epsilon_insensitive")
    assert svr["params"][0]["option"] is None


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["hubber"], "Did you mean huber"),
        (["huber:delta=0"], "delta must be a number > 0"),
        (["huber", "--power", "2"], "huber does not take --power"),
        (["--delta", "2"], "--delta belongs to a loss"),
        (["huber", "--weight", "w"], "--weight: there are no files to read"),
        (["huber", "--search", "x"], "--search lists losses"),
        (["--search", "zzz"], "no loss has the words 'zzz'"),
        (["--task", "binry"], "Did you mean binary"),
        (["huber", "--task", "binary"], "huber is not a binary loss"),
        (["r2", *PAIR], "r2 is not a mean of row losses"),
        (["rmse", *PAIR], "root_mean_squared_error is not a mean"),
        (["mae", "p.parquet", "t.parquet", "-p", "pred,other", "-y", "y,y2"], "2 outputs"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_requests_that_make_no_sense_are_refused(files, argv, said):
    files.refuses(2, "explain", *argv, said=(said,))


def test_wrong_rows_are_refused_as_in_an_evaluation(files):
    files.write(q="prob,label\n1.5,1\n0.5,0\n")
    files.refuses(
        3, "explain", "brier", "q.csv", said=("q.csv, column prob: 1 probability outside [0, 1]", "row 1")
    )


# On the user's rows


@pytest.mark.parametrize("delta", [1.0, 5.0])
def test_residuals_are_counted_as_numpy_counts_them(files, delta):
    size = np.abs(ERROR)
    loss = np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))
    found = data(files, f"huber:delta={delta}", *PAIR)
    assert (found["rows"], found["weight"]) == (N, N)
    assert found["value"] == pytest.approx(loss.mean(), rel=1e-12)
    (part,) = found["parts"]
    tail = size > delta
    assert part["what"] == f"|residual| above delta={delta:g}, where the loss is linear"
    assert part["rows"] == tail.sum()
    assert part["weight_share"] == pytest.approx(tail.mean())
    assert part["loss_share"] == pytest.approx(loss[tail].sum() / loss.sum())
    worst = np.sort(loss)[::-1][: N // 100]
    assert found["worst_share"] == pytest.approx(worst.sum() / loss.sum(), rel=PRECISION)
    for share, value in found["quantiles"].items():
        assert value == pytest.approx(np.quantile(size, float(share), method="inverted_cdf"), rel=PRECISION)
    assert found["covers"] == {"delta": found["quantiles"]["0.9"]}
    assert np.mean(size <= found["covers"]["delta"] * (1 + PRECISION)) >= 0.9


def test_a_delta_that_covers_nine_in_ten_leaves_one_in_ten_in_the_tail(files):
    covers = data(files, "huber", *PAIR)["covers"]["delta"]
    assert data(files, "huber", *PAIR, "--delta", repr(covers))["parts"][0]["weight_share"] == pytest.approx(
        0.1, abs=0.005
    )


def test_weights_count(files):
    found = data(files, "huber", *PAIR, "-w", "w", "--delta", "3")
    size, there = np.abs(ERROR), WEIGHT > 0
    loss = np.where(size <= 3, size**2 / 2, 3 * (size - 1.5))
    assert found["rows"] == there.sum()
    assert found["weight"] == WEIGHT.sum()
    assert found["value"] == pytest.approx(np.average(loss, weights=WEIGHT))
    assert found["parts"][0]["rows"] == (there & (size > 3)).sum()
    assert found["parts"][0]["weight_share"] == pytest.approx(WEIGHT[size > 3].sum() / WEIGHT.sum())
    assert any("weight zero" in note["text"] for note in found["notes"])


@pytest.mark.parametrize(
    ("argv", "place"),
    [
        (["binary_cross_entropy", "b.csv"], np.where(EVENT == 1, PROB, 1 - PROB)),
        (["zero_one", "b.csv"], np.where(EVENT == 1, PROB, 1 - PROB)),
        (["log_loss", "c.parquet"], PROBS[np.arange(N), LABELS]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_probabilities_of_the_true_class_are_counted_below_marks(files, argv, place):
    found = data(files, *argv)
    loss = np.where(place < 0.5, 1.0, 0.0) if argv[0] == "zero_one" else -np.log(place)
    assert found["value"] == pytest.approx(loss.mean(), rel=1e-9)
    assert [part["what"] for part in found["parts"]] == [
        f"probability of the true class below {mark}" for mark in ("0.5", "0.1", "0.01")
    ]
    for part, mark in zip(found["parts"], (0.5, 0.1, 0.01), strict=True):
        below = place < mark
        assert part["rows"] == below.sum()
        assert part["weight_share"] == pytest.approx(below.mean())
        assert part["loss_share"] == pytest.approx(loss[below].sum() / loss.sum())
    assert found["quantiles"] == found["covers"] == {}


def test_margins_are_counted_within_one_and_on_the_wrong_side(files):
    score = np.where(EVENT == 1, 1, -1) * (PROB - 0.5) * 8
    files.write(s_parquet=pl.DataFrame({"score": (PROB - 0.5) * 8, "label": EVENT}))
    found = data(files, "hinge", "s.parquet")
    assert [part["rows"] for part in found["parts"]] == [(score < 1).sum(), (score < 0).sum()]


def test_what_is_found_does_not_depend_on_threads_or_blocks(files):
    rows = 150_000
    y = RNG.normal(size=rows)
    p = y + RNG.standard_t(3, rows)
    files.write(big_parquet=pl.DataFrame({"pred": p, "y": y}))
    one, two = (data(files, "huber", "big.parquet", "--threads", threads) for threads in "12")
    assert one == two
    assert one["quantiles"]["0.9"] == pytest.approx(np.quantile(np.abs(p - y), 0.9), rel=PRECISION)


def test_shares_of_a_loss_below_zero_are_left_out_and_that_is_said(files):
    found = data(files, "mean_bias_error", *PAIR)
    assert found["worst_share"] is None
    assert "rows have no share of the loss, which is negative in some" in [
        note["text"] for note in found["notes"]
    ]
    assert found["value"] == pytest.approx(ERROR.mean())


def test_a_loss_that_is_infinite_is_null_with_a_reason(files):
    files.write(q="prob,label\n0,1\n0.5,0\n")
    found = data(files, "binary_cross_entropy", "q.csv", "--eps", "0")
    assert (found["value"], found["worst_share"]) == (None, None)
    assert "rows have no share of the loss, which is infinite" in [note["text"] for note in found["notes"]]


def test_a_page_puts_the_rows_under_the_curve(files):
    done = files("explain", "huber", *PAIR, "--delta", "3", "-v")
    assert (done.status, "plan: --task regression" in done.err) == (0, True)
    lines = done.out.splitlines()
    axis = next(i for i, line in enumerate(lines) if "└" in line)
    bars = "".join(lines[axis + 1 : axis + 4])
    assert set(bars) <= set(" ▁▂▃▄▅▆▇█")
    assert "█" in bars
    size = np.abs(ERROR)
    assert f"{(size > 3).sum()} rows, {np.mean(size > 3):.1%} of the rows, " in done.out
    assert float(lines[axis + 4].split()[-1]) == pytest.approx(np.quantile(size, 0.99), rel=0.02)
    assert "within 0.8% of their value" in done.out
    assert lines[-1].startswith("CatBoost")
