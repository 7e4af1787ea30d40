"""Models on the same rows: paired differences, where they come from, and what cannot be compared."""

import json
import math

import numpy as np
import polars as pl
import pytest
from msgspec.structs import asdict
from scipy import stats
from support import hall
from support.grids import some

import losscli
from losscli.cli.app import run
from losscli.errors import DataError, UsageError
from losscli.states.multiple import holm

N = 4000
RNG = np.random.default_rng(7)
Y = RNG.normal(3.0, 2.0, N)
A = Y + RNG.normal(0.1, 1.0, N)
B = Y + 0.9 * (A - Y) + RNG.normal(0, 0.3, N)
WEIGHT = RNG.uniform(0.5, 3.0, N)
TARGETS = pl.DataFrame(
    {
        "id": np.arange(N),
        "y_true": Y,
        "region": RNG.choice(["eu", "us", "asia"], N, p=[0.5, 0.3, 0.2]),
        "w": WEIGHT,
        "user": RNG.integers(0, 150, N),
    }
)
OLD = pl.DataFrame({"id": np.arange(N), "y_pred": A})
NEW = pl.DataFrame({"id": np.arange(N), "pred": B})
LOSSES = ["mse", "rmse", "mae", "r2", "huber", "wape", "max_error", "explained_variance"]


CLASSES = ["ant", "bee", "cat"]
LIMITS = ["mae <= base * 0.95", "mae <= base + 5%"]


@pytest.fixture
def program(capsys):
    """The program, run in this process: its status, stdout and stderr."""

    def called(*argv):
        return run(list(argv)), *capsys.readouterr()

    return called


def overall(report, loss):
    name = report.names.get(loss, loss)
    return next(each for each in report.comparisons if each.loss == name and not each.cell)


def test_a_mean_is_the_paired_test_of_skewed_rows():
    report = losscli.compare(OLD, NEW, targets=TARGETS, loss="mae")
    (found,) = report.comparisons
    apart = abs(B - Y) - abs(A - Y)
    assert found.difference == pytest.approx(np.mean(apart), rel=1e-13)
    assert (found.ci_low, found.ci_high) == pytest.approx(hall.interval(apart, 0.95), rel=1e-8)
    assert found.p_value == pytest.approx(hall.p_value(apart), rel=1e-6)
    plain = stats.ttest_rel(abs(B - Y), abs(A - Y))
    assert found.p_value == pytest.approx(plain.pvalue, rel=0.05)
    assert (found.rows, found.df) == (N, N - 1)
    assert (found.better, found.worse) == ((abs(B - Y) < abs(A - Y)).sum(), (abs(B - Y) > abs(A - Y)).sum())


@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"cluster": "user"}], ids=str)
@pytest.mark.parametrize("loss", ["rmse", "r2", "wape"])
def test_a_bootstrap_agrees(loss, options):
    found = overall(losscli.compare(OLD, NEW, targets=TARGETS, loss=loss, **options), loss)
    values = {
        "rmse": lambda p, w, y: math.sqrt(np.average((p - y) ** 2, weights=w)),
        "r2": lambda p, w, y: (
            1
            - np.average((p - y) ** 2, weights=w) / np.average((y - np.average(y, weights=w)) ** 2, weights=w)
        ),
        "wape": lambda p, w, y: np.average(abs(p - y), weights=w) / np.average(abs(y), weights=w),
    }
    value, rng, users = values[loss], np.random.default_rng(1), TARGETS["user"].to_numpy()
    weight = WEIGHT if options.get("weight") else np.ones(N)
    rows_of = [np.flatnonzero(users == user) for user in range(150)]
    drawn = []
    for _ in range(600):
        if "cluster" in options:
            at = np.concatenate([rows_of[user] for user in rng.integers(0, 150, 150)])
        else:
            at = rng.integers(0, N, N)
        w, y = weight[at], Y[at]
        drawn.append(value(B[at], w, y) - value(A[at], w, y))
    assert found.difference == pytest.approx(value(B, weight, Y) - value(A, weight, Y), rel=1e-9)
    # The standard error of 600 draws is known to 3 %.
    assert found.se == pytest.approx(np.std(drawn), rel=0.12)


def test_results_are_those_of_each_model_alone():
    both = losscli.compare(OLD, NEW, targets=TARGETS, loss=LOSSES, by="region", weight="w")
    for model, frame in (("model 1", OLD), ("model 2", NEW)):
        alone = losscli.evaluate(frame, TARGETS, LOSSES, by="region", weight="w")
        own = [each for each in both.results if each.model == model]
        for found, expected in zip(own, sorted_like(own, alone.results), strict=True):
            assert found.value == pytest.approx(expected.value, rel=1e-13)
            assert found.rows == expected.rows
            assert found.se == (None if expected.se is None else pytest.approx(expected.se, rel=1e-9))


def sorted_like(results, others):
    by_place = {(each.loss, tuple(each.cell.items())): each for each in others}
    return [by_place[each.loss, tuple(each.cell.items())] for each in results]


@pytest.mark.parametrize("loss", ["mse", "rmse", "mae", "r2", "wape", "explained_variance"])
@pytest.mark.parametrize("options", [{}, {"weight": "w"}], ids=str)
def test_contributions_add_up(loss, options):
    report = losscli.compare(OLD, NEW, targets=TARGETS, loss=loss, by=["region", "y_true:5"], **options)
    whole = overall(report, loss)
    for column in ("region", "y_true"):
        parts = [each.contribution for each in report.comparisons if list(each.cell) == [column]]
        assert math.fsum(parts) == pytest.approx(whole.difference, rel=1e-14)
        assert sorted(map(abs, parts), reverse=True) == [abs(part) for part in parts]
    assert whole.contribution is None


def test_a_mean_contributes_what_its_rows_do():
    report = losscli.compare(OLD, NEW, targets=TARGETS, loss="mae", by="region")
    worse = abs(B - Y) - abs(A - Y)
    for each in report.comparisons[1:]:
        own = worse[TARGETS["region"].to_numpy() == each.cell["region"]]
        assert each.contribution == pytest.approx(own.sum() / N, rel=1e-12)


def test_a_slice_is_the_comparison_of_its_rows():
    report = losscli.compare(OLD, NEW, targets=TARGETS, loss=LOSSES, by="region")
    keep = TARGETS["region"].to_numpy() == "eu"
    alone = losscli.compare(OLD.filter(keep), NEW.filter(keep), targets=TARGETS.filter(keep), loss=LOSSES)
    for expected in alone.comparisons:
        (found,) = (c for c in report.comparisons if c.loss == expected.loss and c.cell == {"region": "eu"})
        assert found.difference == pytest.approx(expected.difference, rel=1e-10)
        assert found.se == (None if expected.se is None else pytest.approx(expected.se, rel=1e-6))


def test_weight_two_is_the_row_twice():
    twice = np.repeat(np.arange(N), 2)
    heavy = TARGETS.with_columns(w=pl.lit(2.0))
    found = losscli.compare(OLD, NEW, targets=heavy, loss=["rmse", "r2"], weight="w").comparisons
    frames = [frame[twice].with_columns(id=np.arange(2 * N)) for frame in (OLD, NEW, TARGETS)]
    expected = losscli.compare(frames[0], frames[1], targets=frames[2], loss=["rmse", "r2"]).comparisons
    for one, other in zip(found, expected, strict=True):
        assert one.difference == pytest.approx(other.difference, rel=1e-11)


@pytest.mark.parametrize("shuffled", some([(0, 1), (0,), (1,), (2,)]), ids=str)
@pytest.mark.parametrize("key", [pl.Int64, pl.Int32, pl.String], ids=str)
def test_rows_are_found_by_key_in_any_order(shuffled, key):
    frames = [OLD, NEW.with_columns(pl.col("id").cast(key)), TARGETS]
    for place in shuffled:
        frames[place] = frames[place].sample(fraction=1.0, shuffle=True, seed=place)
    found = losscli.compare(frames[0], frames[1], targets=frames[2], loss=["rmse"], by="region")
    expected = losscli.compare(OLD, NEW, targets=TARGETS, loss=["rmse"], by="region")
    for one, other in zip(found.comparisons, expected.comparisons, strict=True):
        assert one.difference == pytest.approx(other.difference, rel=1e-12)
        assert (one.rows, one.better) == (other.rows, other.better)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_bits_whatever_the_threads(threads):
    many = 300_000
    rng = np.random.default_rng(0)
    y, a, b = rng.normal(size=(3, many))
    report = losscli.compare(
        pl.DataFrame({"p": a}),
        pl.DataFrame({"p": b}),
        targets=pl.DataFrame({"y": y}),
        loss="mae",
        threads=threads,
    )
    (found,) = report.comparisons
    assert found.difference == math.fsum(abs(b - y) - abs(a - y)) / many


def test_a_model_does_not_differ_from_itself():
    report = losscli.compare(OLD, OLD.clone(), targets=TARGETS, loss=LOSSES, by="region")
    for each in report.comparisons:
        assert each.difference == 0
        assert each.p_value in (1.0, None)
        assert each.winner is None


def test_all_pairs_and_holm():
    third = NEW.with_columns(pred=pl.Series(B + RNG.normal(0, 0.05, N)))
    models = (OLD, NEW, third)
    report = losscli.compare(*models, targets=TARGETS, loss="mse", all_pairs=True, names=["a", "b", "c"])
    assert [(each.a, each.b) for each in report.comparisons] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [each.adjusted for each in report.comparisons] == holm(
        [each.p_value for each in report.comparisons]
    )
    first = losscli.compare(*models, targets=TARGETS, loss="mse").comparisons
    assert [(each.a, each.b) for each in first] == [("model 1", "model 2"), ("model 1", "model 3")]
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("runs", "lowest", "highest"),
    [(60, 0.0, 0.13), pytest.param(300, 0.02, 0.085, marks=pytest.mark.slow)],
)
def test_the_noise_of_equal_models_is_as_often_significant_as_the_level_says(runs, lowest, highest):
    rng, hits = np.random.default_rng(3), 0
    for _ in range(runs):
        y, common, a, b = rng.normal(size=(4, 200))
        frames = [pl.DataFrame({"p": y + common + 0.3 * noise}) for noise in (a, b)]
        report = losscli.compare(*frames, targets=pl.DataFrame({"y": y}), loss="rmse")
        hits += report.comparisons[0].winner is not None
    assert lowest <= hits / runs <= highest  # 5 %, within 2.8 standard errors


def test_classes_labels_and_outputs():
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(2, 500, 3))
    probs = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    labels = rng.choice(CLASSES, 500)
    one, two = (
        pl.DataFrame({f"prob_{name}": own[:, i] for i, name in enumerate(["ant", "bee", "cat"])})
        for own in probs
    )
    report = losscli.compare(
        one, two.select(reversed(two.columns)), targets=pl.DataFrame({"label": labels}), loss="log_loss"
    )
    true = np.searchsorted(CLASSES, labels)
    rows = -np.log(probs[1, np.arange(500), true]) + np.log(probs[0, np.arange(500), true])
    assert report.comparisons[0].difference == pytest.approx(rows.mean(), rel=1e-12)
    for each in report.comparisons[1:]:
        own = rows[labels == each.cell["class"]]
        assert each.difference == pytest.approx(own.mean(), rel=1e-12)
        assert each.contribution == pytest.approx(own.sum() / 500, rel=1e-12)
    y, p, q = rng.normal(size=(3, 400, 2))
    names = [f"{{}}_{i}" for i in range(2)]
    frames = [pl.DataFrame({name.format(stem): own[:, i] for i, name in enumerate(names)}) for stem, own in
              (("y_pred", p), ("y_pred", q), ("y_true", y))]  # fmt: skip
    outputs = losscli.compare(frames[0], frames[1], targets=frames[2], loss=["rmse", "r2"])
    root = np.sqrt(((q - y) ** 2).mean(axis=0)) - np.sqrt(((p - y) ** 2).mean(axis=0))
    assert [c.difference for c in outputs.comparisons[:3]] == pytest.approx([root.mean(), *root], rel=1e-12)
    scores = losscli.compare(
        pl.DataFrame({"a": p[:, 0] > 0, "b": p[:, 1] > 0}).cast(float),
        pl.DataFrame({"a": q[:, 0] > 0, "b": q[:, 1] > 0}).cast(float),
        targets=pl.DataFrame({"a": y[:, 0] > 0, "b": y[:, 1] > 0}).cast(int),
        loss="hamming_loss",
    )
    assert len(scores.comparisons) == 3


def test_a_score_is_better_where_it_is_higher():
    found = overall(losscli.compare(OLD, NEW, targets=TARGETS, loss="r2"), "r2")
    assert found.higher_is_better
    assert found.difference > 0
    assert found.winner == "model 2"


def test_rows_that_one_model_lacks_leave_both():
    holes = NEW.with_columns(pred=pl.when(pl.col("id") % 10 == 3).then(None).otherwise("pred"))
    with pytest.raises(DataError, match="400 missing values"):
        losscli.compare(OLD, holes, targets=TARGETS, loss="mae")
    report = losscli.compare(OLD, holes, targets=TARGETS, loss="mae", missing="drop", names=["a", "b"])
    keep = np.arange(N) % 10 != 3
    assert report.comparisons[0].rows == keep.sum()
    assert {result.rows for result in report.results} == {keep.sum()}
    assert report.comparisons[0].difference == pytest.approx(
        np.mean((abs(B - Y) - abs(A - Y))[keep]), rel=1e-12
    )
    assert "b: 400 rows with missing values dropped" in " ".join(map(str, report.findings))


def test_keys_that_one_model_lacks():
    fewer = NEW.filter(pl.col("id") % 4 != 0).vstack(pl.DataFrame({"id": [N + 5], "pred": [1.0]}))
    with pytest.raises(DataError) as raised:
        losscli.compare(OLD, fewer, targets=TARGETS, loss="mae")
    said = " ".join(map(str, raised.value.problems))
    assert "1000 targets without a prediction" in said
    assert "1 prediction without a target" in said
    report = losscli.compare(OLD, fewer, targets=TARGETS, loss="mae", unmatched="drop")
    keep = np.arange(N) % 4 != 0
    assert report.comparisons[0].rows == keep.sum()
    assert report.comparisons[0].difference == pytest.approx(
        np.mean((abs(B - Y) - abs(A - Y))[keep]), rel=1e-12
    )
    notes = " ".join(map(str, report.findings))
    assert "1000 targets without a prediction" in notes
    assert "1 prediction" in notes
    twice = NEW.vstack(NEW.head(2))
    with pytest.raises(DataError, match="with a duplicate key"):
        losscli.compare(OLD, twice, targets=TARGETS, loss="mae")


def test_by_position_there_are_as_many_rows():
    frames = [frame.drop("id") for frame in (OLD, NEW.head(N - 1), TARGETS)]
    with pytest.raises(DataError, match=f"{N} rows and {N - 1} rows cannot be aligned by position"):
        losscli.compare(frames[0], frames[1], targets=frames[2], loss="mae")


def test_conditions_describe_the_rows_of_both():
    found = losscli.compare(
        OLD,
        NEW,
        targets=TARGETS,
        loss="mae",
        where="region = 'eu'",
    )
    keep = TARGETS["region"].to_numpy() == "eu"
    assert found.comparisons[0].rows == keep.sum()
    assert found.comparisons[0].difference == pytest.approx(
        np.mean((abs(B - Y) - abs(A - Y))[keep]), rel=1e-12
    )


def test_the_first_file_may_hold_the_targets():
    first = OLD.with_columns(target=pl.Series(Y))
    found = losscli.compare(first, NEW, loss="mae", pred=None)
    expected = losscli.compare(OLD, NEW, targets=TARGETS, loss="mae")
    assert found.comparisons[0].difference == expected.comparisons[0].difference


def test_what_makes_no_comparison(tmp_path):
    with pytest.raises(UsageError, match="2 to 32 models, got 1"):
        losscli.compare(OLD, targets=TARGETS, loss="mae")
    with pytest.raises(UsageError, match="as many different names"):
        losscli.compare(OLD, NEW, targets=TARGETS, loss="mae", names=["a"])
    OLD.write_csv(tmp_path / "a.csv")
    with pytest.raises(UsageError, match="is given twice"):
        losscli.compare(tmp_path / "a.csv", tmp_path / "a.csv", targets=TARGETS, loss="mae")


def test_models_are_called_by_their_files(program, tmp_path):
    for name in ("x", "z"):
        (tmp_path / name).mkdir()
        OLD.write_parquet(tmp_path / name / "p.parquet")
    TARGETS.write_parquet(tmp_path / "t.parquet")
    files = [str(tmp_path / name) for name in ("x/p.parquet", "z/p.parquet", "t.parquet")]
    status, out, said = program("compare", *files[:2], "-t", files[2], "-l", "mae", "--json")
    assert (status, said) == (0, "")
    report = json.loads(out)
    assert [result["model"] for result in report["results"]] == ["x/p.parquet", "z/p.parquet"]
    assert losscli.Report.from_dict(report).comparisons[0].a == "x/p.parquet"


def test_gates_know_that_rows_are_paired(program, tmp_path):
    a, b, t = (str(tmp_path / f"{name}.parquet") for name in "abt")
    OLD.write_parquet(a)
    NEW.write_parquet(b)
    TARGETS.write_parquet(t)
    argv = ["compare", a, b, "-t", t, "-l", "mae", "--by", "region", "--json"]
    gates = ["mae[b] <= mae[a] + 0%", "mae <= base", "mae[b][region=*] <= base", "mae <= 2", "mae[z] < 1"]
    status, out, _ = program(*argv, *(word for gate in gates for word in ("-g", gate)))
    assert status == 3  # a model that is none cannot be judged
    report = losscli.Report.from_dict(json.loads(out))
    pair = overall(report, "mean_absolute_error")
    verdicts = {gate: [v for v in report.gates if v.gate == gate] for gate in gates}
    (first,) = verdicts[gates[0]]
    assert (first.status, first.model, first.weak) == ("pass", "b.parquet", False)
    assert first.margin == pytest.approx(-pair.difference / pair.se, rel=1e-12)
    assert asdict(first) | {"gate": gates[1]} == asdict(verdicts[gates[1]][0])
    assert len(verdicts[gates[2]]) == 3
    assert [v.model for v in verdicts[gates[3]]] == ["a.parquet", "b.parquet"]
    assert "no model 'z'" in verdicts[gates[4]][0].reason
    status, out, _ = program(*argv, "-g", "mae[a] <= mae[b]")
    assert status == 1
    status, out, said = program(*argv, "-g", "mae[b] <= rmse[a]")
    assert (status, "the same loss of another model" in said) == (2, True)


def test_the_limit_of_a_gate_has_the_noise_of_its_base(tmp_path):
    report = losscli.evaluate(
        NEW, TARGETS, "mae", baseline=OLD, gate=["mae <= base * 0.95", "mae <= base + 5%"]
    )
    assert [result.model for result in report.results] == [None]
    rows = abs(B - Y), abs(A - Y)
    for verdict, slope in zip(report.gates, (0.95, 1.05), strict=True):
        apart = rows[0] - slope * rows[1]
        expected = abs(apart.mean()) / (apart.std(ddof=1) / math.sqrt(N))
        assert abs(verdict.margin) == pytest.approx(expected, rel=1e-9)
    assert (report.comparisons[0].a, report.comparisons[0].b) == ("model 2", "model 1")
    assert report.comparisons[0].difference == pytest.approx(np.mean(rows[0] - rows[1]), rel=1e-12)


def test_groups_are_compared_as_a_whole():
    rng = np.random.default_rng(2)
    queries = np.repeat(np.arange(60), 10)
    relevance = rng.integers(0, 3, 600)
    good, bad = (relevance + rng.normal(0, noise, 600) for noise in (0.5, 3.0))
    frames = [pl.DataFrame({"score": own}) for own in (bad, good)]
    targets = pl.DataFrame({"query_id": queries, "relevance": relevance})
    report = losscli.compare(*frames, targets=targets, loss="ndcg", group="query_id")
    assert report.comparisons[0].rows == 60
    assert report.comparisons[0].difference > 0
    assert report.comparisons[0].winner == "model 2"


@pytest.mark.parametrize("options", [{}, {"weight": "w"}], ids=str)
def test_the_rows_that_changed_most(options):
    silent = TARGETS.with_columns(w=pl.when(pl.col("id") % 3 == 0).then(0.0).otherwise("w"))
    report = losscli.compare(
        OLD, NEW.sample(fraction=1.0, shuffle=True, seed=1), targets=silent, loss=["mae", "r2"], changed=7,
        names=["old", "new"], **options,
    )  # fmt: skip
    apart = abs(B - Y) - abs(A - Y)
    order = np.argsort(-np.where((np.arange(N) % 3 == 0) & bool(options), 0, abs(apart)), kind="stable")[:7]
    assert [row["id"] for row in report.changed] == order.tolist()
    first = report.changed[0]
    assert (first["a"], first["b"]) == ("old", "new")
    assert first["difference"] == pytest.approx(apart[order[0]], rel=1e-12)
    assert (first["y_pred of old"], first["pred of new"]) == (A[order[0]], B[order[0]])
    assert losscli.Report.from_dict(report.to_dict()) == report
    with pytest.raises(UsageError, match="no value of a single row"):
        losscli.compare(OLD, NEW, targets=TARGETS, loss="r2", changed=3)
    with pytest.raises(UsageError, match="--changed must be a whole number"):
        losscli.compare(OLD, NEW, targets=TARGETS, loss="mae", changed=-3)


def test_models_have_the_names_that_are_given(tmp_path, monkeypatch, program):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run=1").mkdir()
    for name in ("a.csv", "run=1/p.csv"):
        OLD.write_csv(tmp_path / name)
    TARGETS.write_csv(tmp_path / "t.csv")
    argv = ("compare", "small=a.csv", "run=1/p.csv", "-t", "t.csv", "-l", "mae", "--json")
    status, out, err = program(*argv)
    assert status == 0, err
    assert (json.loads(out)["comparisons"][0]["a"], json.loads(out)["comparisons"][0]["b"]) == (
        "small",
        "run=1/p.csv",
    )
    report = losscli.compare({"old": OLD, "new": NEW}, targets=TARGETS, loss="mae")
    assert (report.comparisons[0].a, report.comparisons[0].b) == ("old", "new")


@pytest.mark.parametrize("gate", ["mae[a] <= base - 90%", "mae[a] <= base", "mae[b] <= mae[b]"])
def test_a_gate_of_the_base_against_itself_judges_nothing(gate, losscli):
    losscli.write(p="id,pred\n1,1\n2,2\n", q="id,pred\n1,1\n2,3\n", t="id,y\n1,2\n2,4\n")
    run = ("compare", "p.csv", "q.csv", "-t", "t.csv", "-l", "mae", "-g", gate)
    done = losscli(*run, "-o", "r.json", "-o", "j.xml")
    assert done.status == 3
    assert "is the base: it would be judged against itself" in done.err
    assert 'errors="1"' in (losscli.folder / "j.xml").read_text()
    assert losscli("gate", "r.json", "-g", gate).status == 3


def test_a_key_that_is_called_as_the_field_of_a_model_keeps_its_values():
    p, q = ({"a": [1, 2], "prediction": [value, 2.0]} for value in (1.0, 3.0))
    report = losscli.compare(p, q, targets={"a": [1, 2], "target": [1.0, 2.0]}, loss="mae", on="a", changed=1)
    (row,) = report.changed
    assert (row["a"], row["b"], row["a_2"]) == ("model 1", "model 2", 1)
    assert "rows that changed most" in str(report)


@pytest.mark.parametrize("options", [{}, {"weight": "w"}], ids=str)
def test_error_rates_are_compared_by_the_score_test(options):
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, 400)
    a, b = (np.where(rng.random(400) < rate, 1 - truth, truth) for rate in (0.1, 0.04))
    rows = pl.DataFrame({"label": truth, "w": 2.5})
    found = losscli.compare(
        *(pl.DataFrame({"predicted_label": each}) for each in (a, b)),
        targets=rows, loss="zero_one", task="binary", **options,
    ).comparisons[0]  # fmt: skip
    up, down = int(((b != truth) & (a == truth)).sum()), int(((a != truth) & (b == truth)).sum())
    assert found.p_value == pytest.approx(stats.chi2.sf((up - down) ** 2 / (up + down), 1), rel=1e-9)
    assert (found.p_value < 0.05) == (not found.ci_low <= 0 <= found.ci_high)
    same = losscli.compare(
        *(pl.DataFrame({"predicted_label": a}) for _ in range(2)),
        targets=rows, loss="zero_one", task="binary", **options,
    ).comparisons[0]  # fmt: skip
    assert (same.difference, same.p_value) == (0.0, 1.0)
    assert (
        same.ci_high == -same.ci_low == pytest.approx(stats.norm.ppf(0.975) ** 2 / (400 + 3.8415), rel=1e-4)
    )


def test_each_model_of_a_comparison_has_the_results_of_its_own_evaluation():
    options = {"loss": ["huber", "r2", "max_error"], "by": "region", "weight": "w", "on": "id"}
    targets = TARGETS.with_columns(w=pl.when(pl.col("id") % 7 == 0).then(0.0).otherwise("w"))
    shuffled = NEW.sample(fraction=1.0, shuffle=True, seed=4)
    both = losscli.compare(OLD, shuffled, targets=targets, names=["old", "new"], **options)
    for name, predictions in (("old", OLD), ("new", shuffled)):
        alone = losscli.evaluate(predictions, targets, **options)
        own = [each for each in both.results if each.model == name]
        for model, expected in zip(own, alone.results, strict=True):
            assert (model.loss, model.cell, model.rows) == (expected.loss, expected.cell, expected.rows)
            assert model.value == pytest.approx(expected.value, rel=1e-14)
            assert model.notes == expected.notes  # among them the row of the maximum, in the model's own file
