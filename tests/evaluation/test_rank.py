"""Leaderboards: places that noise cannot separate are shared, and broken submissions break nothing."""

import csv
import io
import json

import numpy as np
import polars as pl
import pytest
from support import hall
from support.grids import some

import losscli
from losscli.cli.app import run
from losscli.data.lookup import index_of
from losscli.errors import DataError, UsageError
from losscli.evaluation import ties
from losscli.states import moments
from losscli.states.moments import MAX_SPREAD

N = 2000
RNG = np.random.default_rng(11)
Y = RNG.normal(size=N)
TARGETS = pl.DataFrame(
    {
        "id": np.arange(N),
        "y_true": Y,
        "Usage": RNG.choice(["Public", "Private"], N, p=[0.3, 0.7]),
        "w": RNG.uniform(0.5, 2.0, N),
    }
)


def submission(scale, seed, shuffled=True):
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame({"id": np.arange(N), "pred": Y + scale * rng.normal(size=N)})
    return frame.sample(fraction=1.0, shuffle=True, seed=seed) if shuffled else frame


SUBMISSIONS = [submission(scale, seed) for seed, scale in enumerate([1.0, 1.01, 0.7, 1.5, 1.02])]


@pytest.fixture
def program(capsys):
    """The program, run in this process: its status, stdout and stderr."""

    def called(*argv):
        return run(list(argv)), *capsys.readouterr()

    return called


@pytest.mark.parametrize("loss", some(["rmse", "mae", "huber", "r2", "wape"]))
@pytest.mark.parametrize("options", some([{"weight": "w"}, {}]), ids=str)
def test_places_are_those_of_paired_comparisons(loss, options):
    report = losscli.rank(*SUBMISSIONS, targets=TARGETS, loss=loss, by="Usage", **options)
    pairs = losscli.compare(
        *SUBMISSIONS, targets=TARGETS, loss=loss, by="Usage", all_pairs=True, **options
    ).comparisons
    for cell in ({}, {"Usage": "Public"}, {"Usage": "Private"}):
        placed = [each for each in report.board if each.cell == cell]
        values = [each.value for each in placed]
        assert values == sorted(values, reverse=loss == "r2")
        own = [each for each in pairs if each.cell == cell]
        p = np.array([each.p_value for each in own])
        # Holm by SciPy's ranks: the largest of the smaller ones, each times those that are left.
        order = np.argsort(p)
        adjusted = np.empty(len(p))
        adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
        by_pair = {frozenset((each.a, each.b)): q for each, q in zip(own, adjusted, strict=True)}
        leader = placed[0]
        for rank, each in enumerate(placed[1:], 2):
            q = by_pair[frozenset((leader.model, each.model))]
            if q < 0.05:
                assert each.place == rank
                leader = each
            else:
                assert each.place == leader.place
                assert each.tied
                # Ties take the value of a loss that is no mean as linear in its rows.
                assert each.p_value == pytest.approx(q, rel=1e-4 if loss in ("mae", "huber") else 1e-2)


def test_results_are_those_of_each_submission_alone():
    report = losscli.rank(*SUBMISSIONS, targets=TARGETS, loss=["mae", "rmse"], by="Usage")
    for number, frame in enumerate(SUBMISSIONS, 1):
        alone = losscli.evaluate(frame, TARGETS, ["mae", "rmse"], by="Usage")
        own = [each for each in report.results if each.model == f"model {number}"]
        assert [each.value for each in own] == [each.value for each in alone.results]
    assert any("ranked by" in note.text for note in report.findings)


@pytest.mark.parametrize(
    ("runs", "lowest", "highest"),
    [
        (20, 0.8, 1.0),
        pytest.param(300, 0.915, 0.98, marks=pytest.mark.slow),
    ],
)
def test_equal_submissions_share_a_place_as_often_as_the_level_says(runs, lowest, highest):
    rng, shared = np.random.default_rng(0), 0
    for _ in range(runs):
        y = rng.normal(size=150)
        frames = [pl.DataFrame({"p": y + rng.normal(size=150)}) for _ in range(2)]
        placed = losscli.rank(*frames, targets=pl.DataFrame({"y": y}), loss="rmse").board
        shared += placed[1].place == 1
    assert lowest <= shared / runs <= highest  # 95 %, within 2.8 standard errors


@pytest.mark.parametrize(
    ("runs", "most"),
    [(4, 2), pytest.param(40, 6, marks=pytest.mark.slow)],
)
def test_many_equal_submissions_share_one_place(runs, most):
    rng, apart = np.random.default_rng(1), 0
    for _ in range(runs):
        y = rng.normal(size=200)
        frames = [pl.DataFrame({"p": y + rng.normal(size=200)}) for _ in range(8)]
        placed = losscli.rank(*frames, targets=pl.DataFrame({"y": y}), loss="mae").board
        apart += max(each.place for each in placed) > 1
    assert apart <= most  # 5 % are expected; more than 6 of 40 or 2 of 4 come once in 300 to 1,000 trials


def test_without_an_interval_only_equal_values_share():
    again = [*SUBMISSIONS[:2], SUBMISSIONS[0].clone()]
    placed = losscli.rank(*again, targets=TARGETS, loss="mae", ci="none").board
    assert [each.place for each in placed] == [1, 1, 3]


def broken(folder):
    """Ten files that are broken in ten ways, and what is said of each."""
    ids = list(range(N))
    good = submission(1.0, 5)
    files = {
        "empty.csv": (b"", "empty file"),
        "header.csv": (b"id,pred\n", "no rows, only a header"),
        "short.csv": (good.head(N - 3), "3 targets without a prediction"),
        "twice.csv": (good.vstack(good.head(2)), "2 rows with a duplicate key"),
        "unknown.csv": (good.with_columns(pl.col("id") + 1), "without a target"),
        "text.csv": (b"id,pred\n" + b"\n".join(b"%d,x" % i for i in ids), "that are not a number"),
        "hole.csv": (good.with_columns(pred=pl.when(pl.col("id") != 7).then("pred")), "1 missing value"),
        "infinite.csv": (good.with_columns(pred=pl.lit(float("inf"))), "infinite values"),
        "columns.csv": (
            good.select("id", x="pred", z="pred"),
            "cannot tell the prediction",
        ),
        "nonsense.parquet": (b"nonsense", "incomplete or damaged Parquet file"),
    }
    for name, (content, _) in files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            content.write_csv(folder / name)
    return {name: said for name, (_, said) in files.items()}


def test_large_errors_are_ranked_without_a_warning(recwarn):
    far = SUBMISSIONS[0].with_columns(pl.col("pred") + 1000)
    report = losscli.rank(*SUBMISSIONS, far, targets=TARGETS, loss="log_cosh")
    assert len(report.board) == len(SUBMISSIONS) + 1
    assert not recwarn.list


def test_broken_files_have_their_reason_and_no_rank(tmp_path, program):
    folder = tmp_path / "subs"
    folder.mkdir()
    for i, frame in enumerate(SUBMISSIONS[:3]):
        frame.write_csv(folder / f"good{i}.csv")
    said = broken(folder)
    TARGETS.write_parquet(tmp_path / "t.parquet")
    output = tmp_path / "board.csv"
    status, out, _ = program(
        "rank", str(folder), "-t", str(tmp_path / "t.parquet"), "-l", "mae", "-w", "w", "-o", str(output)
    )
    assert status == 0
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(output.read_text()))}
    assert [rows[f"good{i}.csv"]["place"] for i in (2, 0, 1)] == ["1", "2", "2"]
    for name, reason in said.items():
        assert rows[name]["place"] == rows[name]["value"] == ""
        assert reason in rows[name]["reason"], (name, rows[name]["reason"])
    assert "not ranked" in out
    # No target is shown, anywhere.
    assert not any(f"{y:.6g}" in out or repr(float(y)) in output.read_text() for y in Y[:200])


def test_where_all_are_broken_the_first_one_says_why(tmp_path, program):
    (tmp_path / "a.csv").write_text("")
    TARGETS.write_csv(tmp_path / "t.csv")
    status, out, said = program("rank", str(tmp_path / "a.csv"), "-t", str(tmp_path / "t.csv"))
    assert (status, out) == (3, "")
    assert "empty file" in said
    with pytest.raises(UsageError, match="unknown loss"):
        losscli.rank(*SUBMISSIONS, targets=TARGETS, loss="nonesuch")
    with pytest.raises(UsageError, match="needs targets"):
        losscli.rank(*SUBMISSIONS, loss="mae")
    with pytest.raises(UsageError, match="no submissions"):
        losscli.rank(targets=TARGETS, loss="mae")
    with pytest.raises(UsageError, match="rank has no option 'cluster'"):
        losscli.rank(*SUBMISSIONS, targets=TARGETS, loss="mae", cluster="Usage")


def test_all_are_evaluated_on_the_same_rows():
    holes = SUBMISSIONS[1].with_columns(pred=pl.when(pl.col("id") > 9).then("pred"))
    report = losscli.rank(SUBMISSIONS[0], holes, targets=TARGETS, loss="mae", missing="drop")
    assert report.board[1].reason == "other rows are evaluated than of the submissions before"


def test_submissions_that_are_scored_at_once_are_those_scored_alone():
    fewer = submission(0.1, 9).filter(pl.col("id") > 9)
    wrong = submission(0.1, 9).with_columns(pred=pl.lit("x"))
    both = [*SUBMISSIONS, fewer, wrong, *SUBMISSIONS]
    one, *others = (
        losscli.rank(
            *both, targets=TARGETS, loss=["rmse", "mae"], by="Usage", unmatched="drop", threads=threads
        )
        for threads in (1, 2, 5)
    )
    assert len({each.reason for each in one.board if each.reason}) == 2
    for other in others:
        assert (other.board, other.results, other.findings) == (one.board, one.results, one.findings)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_threads_of_a_command_are_a_number(threads, tmp_path, program):
    for i, frame in enumerate(SUBMISSIONS[:3]):
        frame.write_csv(tmp_path / f"s{i}.csv")
    TARGETS.write_csv(tmp_path / "t.csv")
    argv = ["rank", str(tmp_path / "s*.csv"), "-t", str(tmp_path / "t.csv"), "-l", "mae", "--bare"]
    assert program(*argv, "--threads", threads) == program(*argv)


def test_targets_are_indexed_once_for_submissions_in_other_orders(monkeypatch):
    made = []

    def counted(keys):
        made.append(keys.height)
        return index_of(keys)

    monkeypatch.setattr("losscli.data.join.index_of", counted)
    board = losscli.rank(*SUBMISSIONS, targets=TARGETS, loss="mae", threads=3).board
    assert made == [N]
    sorted_ones = [each.sort("id") for each in SUBMISSIONS]
    for one, other in zip(board, losscli.rank(*sorted_ones, targets=TARGETS, loss="mae").board, strict=True):
        assert (one.model, one.place, one.rows) == (other.model, other.place, other.rows)
        assert one.value == pytest.approx(other.value, rel=1e-14)  # sums are in the order of a submission


def test_auto_slices_are_those_of_the_targets_whatever_submissions_add():
    rows = 120
    targets = pl.DataFrame({"id": range(rows), "y": [row / 7 for row in range(rows)]})
    targets = targets.with_columns(region=pl.Series(["eu", "us", "asia"] * 40))
    a = targets.select("id", pred="y").with_columns(fold=pl.col("id") % 3, note=pl.lit("x"))
    b = a.with_columns(pl.col("pred") + 1.0).with_columns(region=pl.lit("eu")).drop("fold")
    own = {"target": "y", "pred": "pred", "on": "id", "loss": "mae"}
    board = losscli.rank(a, b, targets=targets, by="auto", **own).board
    assert {tuple(each.cell.items()) for each in board} == {
        (),
        *((("region", region),) for region in ("eu", "us", "asia")),
    }
    b = b.with_columns(auto=pl.lit("own"))
    for order in ((a, b), (b, a)):
        board = losscli.rank(*order, targets=targets, by="auto", **own).board
        assert [each.reason for each in board] == [""] * 8
    one = losscli.evaluate(a, targets, by="targets.auto", **own)
    assert {name for result in one.results for name in result.cell} == {"region"}
    other = losscli.evaluate(a, targets, by="preds.auto", **own)
    assert {name for result in other.results for name in result.cell} == {"fold"}
    with pytest.raises(UsageError, match=r"fold is the submission's.*\n.*targets: id, y, region"):
        losscli.rank(a, targets=targets, by="fold", **own)
    with pytest.raises(UsageError, match=r"--by targets\.auto: no column cuts"):
        losscli.rank(a, targets=targets.drop("region"), by="auto", **own)


def test_groups_and_classes_are_ranked_too():
    rng = np.random.default_rng(2)
    relevance = rng.integers(0, 3, 600)
    targets = pl.DataFrame(
        {"id": np.arange(600), "query_id": np.repeat(np.arange(60), 10), "relevance": relevance}
    )
    good, bad = (
        pl.DataFrame({"id": np.arange(600), "score": relevance + rng.normal(0, noise, 600)})
        for noise in (0.5, 3.0)
    )
    placed = losscli.rank(bad, good, targets=targets, loss="ndcg", group="query_id").board
    assert [(each.model, each.place, each.rows) for each in placed] == [
        ("model 2", 1, 60),
        ("model 1", 2, 60),
    ]
    labels = pl.DataFrame({"label": rng.choice(["ant", "bee"], 300)})
    p = rng.uniform(size=(2, 300))
    classes = [pl.DataFrame({"prob_ant": own, "prob_bee": 1 - own}) for own in p]
    placed = losscli.rank(*classes, targets=labels, loss="log_loss").board
    pair = losscli.compare(*classes, targets=labels, loss="log_loss").comparisons[0]
    assert placed[0].place == 1
    assert placed[1].place == (1 if pair.p_value >= 0.05 else 2)


def test_the_board_is_in_the_report(tmp_path, program):
    for i, frame in enumerate(SUBMISSIONS[:2]):
        frame.write_parquet(tmp_path / f"s{i}.parquet")
    TARGETS.write_parquet(tmp_path / "t.parquet")
    argv = ["rank", str(tmp_path / "s*.parquet"), "-t", str(tmp_path / "t.parquet"), "-l", "mae"]
    out = program(*argv, "--json")[1]
    report = losscli.Report.from_dict(json.loads(out))
    assert [each.model for each in report.board] == ["s0.parquet", "s1.parquet"]
    assert "| 1= | s0.parquet |" in program(*argv, "--format", "markdown")[1].replace("\\", "")
    assert program(*argv, "--bare")[1].splitlines() == [repr(each.value) for each in report.board]


def test_memory_holds_a_block_of_rows_of_all(monkeypatch):
    expected = losscli.rank(*SUBMISSIONS, targets=TARGETS, loss="rmse", by="Usage").board
    monkeypatch.setattr(ties, "_NUMBERS", 1500)
    found = losscli.rank(*SUBMISSIONS, targets=TARGETS, loss="rmse", by="Usage").board
    for one, other in zip(found, expected, strict=True):
        assert (one.model, one.place, one.value) == (other.model, other.place, other.value)
        assert one.p_value == (None if other.p_value is None else pytest.approx(other.p_value, rel=1e-9))


def test_ties_ask_for_no_more_second_moments_than_are_kept(monkeypatch):
    """5 submissions in 10 slices need 250 of them: more than the 60 that are kept, so slice by slice."""
    targets = TARGETS.with_columns(slice=pl.col("id") % 10)
    expected = losscli.rank(*SUBMISSIONS, targets=targets, loss="mae", by="slice").board
    for module in (moments, ties):
        monkeypatch.setattr(module, "MAX_SPREAD", 60)
    assert losscli.rank(*SUBMISSIONS, targets=targets, loss="mae", by="slice").board == expected
    assert ties.MOST**2 <= MAX_SPREAD


def test_a_submitter_sees_no_target(tmp_path, program):
    TARGETS.write_csv(tmp_path / "t.csv")
    SUBMISSIONS[0].write_csv(tmp_path / "p.csv")
    SUBMISSIONS[0].head(N - 2).with_columns(pred=pl.lit("x")).write_csv(tmp_path / "wrong.csv")
    t = str(tmp_path / "t.csv")
    assert program("check", str(tmp_path / "p.csv"), t, "--public")[:2] == (0, "2000 rows can be evaluated\n")
    status, out, said = program("check", str(tmp_path / "wrong.csv"), t, "--public", "-l", "mae")
    assert (status, out) == (3, "")
    assert "wrong.csv" in said
    labels = pl.DataFrame({"id": [1, 2, 3], "label": ["secret1", "secret2", None]})
    labels.write_csv(tmp_path / "labels.csv")
    pl.DataFrame({"id": [1, 2, 3], "secret1": [0.5, 0.5, 0.5], "b": [0.5, 0.5, 0.5]}).write_csv(
        tmp_path / "q.csv"
    )
    status, out, said = program("check", str(tmp_path / "q.csv"), str(tmp_path / "labels.csv"), "--public")
    assert status == 3
    assert "secret2" not in said
    with pytest.raises(DataError):
        losscli.evaluate(tmp_path / "q.csv", tmp_path / "labels.csv")


def test_p_values_are_those_of_paired_skewed_rows():
    report = losscli.rank(*SUBMISSIONS[:2], targets=TARGETS, loss="mae")
    rows = [abs(frame.sort("id")["pred"].to_numpy() - Y) for frame in SUBMISSIONS[:2]]
    assert report.board[1].p_value == pytest.approx(hall.p_value(rows[0] - rows[1]), rel=1e-9)


def test_too_small_a_disk_is_told_before_work(monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    with pytest.raises(DataError, match="set TMPDIR"):
        losscli.rank(*SUBMISSIONS, targets=TARGETS, loss="mae")


def test_settings_hold_for_leaderboards_and_comparisons(tmp_path, program, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, frame in (("a", SUBMISSIONS[0]), ("b", SUBMISSIONS[1]), ("t", TARGETS)):
        frame.write_csv(f"{name}.csv")
    (tmp_path / "losscli.toml").write_text('predictions = "a.csv"\ntargets = "t.csv"\nloss = "mae"\n')
    assert program("rank", "--bare")[1].splitlines() == [
        repr(losscli.evaluate("a.csv", "t.csv", "mae").results[0].value)
    ]
    status, _, said = program("compare")
    assert (status, "2 to 32 models, got 1" in said) == (2, True)
    expected = losscli.compare("a.csv", "b.csv", targets="t.csv", loss="mae").comparisons[0].difference
    assert program("compare", "a.csv", "b.csv", "--bare")[1] == f"{expected!r}\n"


@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("policy", ["missing", "unmatched", "domain"])
def test_no_submission_wins_by_rows_that_it_drops(order, policy):
    rows = 40
    t = pl.DataFrame(
        {"id": range(rows), "target": np.arange(1.0, rows + 1), "part": ["a", "b"] * (rows // 2)}
    )
    honest = {name: t.select("id", prediction=pl.col("target") + gap) for name, gap in (("b", 1), ("c", 2))}
    easy = pl.col("id") < 10
    dropped = {
        "missing": t.select("id", prediction=pl.when(easy).then("target")),
        "unmatched": t.filter(easy).select("id", prediction="target"),
        "domain": t.select("id", prediction=pl.when(easy).then("target").otherwise(-5.0)),
    }
    cheat = {"a": dropped[policy]}
    entries = cheat | honest if order == "first" else honest | cheat
    options = {"loss": "rmsle", "by": "part", policy: "drop"}
    board = losscli.rank(entries, targets=t, **options).board
    assert [each.model for each in board if each.place and not each.cell] == ["b", "c"]
    assert {each.model for each in board if each.reason} == {"a"}
    alone = losscli.rank(honest, targets=t, **options).board
    assert [each for each in board if not each.reason] == list(alone)


@pytest.mark.parametrize(("up", "down", "tied"), [(2, 0, True), (6, 1, True), (12, 1, False)])
def test_ties_of_error_rates_are_by_mcnemar(up, down, tied):
    """As in a comparison: a few rows that two submissions label differently do not separate them."""
    y = np.zeros(1000, dtype=int)
    a, b = y.copy(), y.copy()
    a[:down], b[down : down + up] = 1, 1
    key = {"id": np.arange(1000)}
    frames = [pl.DataFrame({**key, "p": each * 1.0}) for each in (a, b)]
    targets = pl.DataFrame({**key, "y": y})
    for loss in ("zero_one", "accuracy"):
        board = losscli.rank(*frames, targets=targets, loss=loss, task="binary", names=["a", "b"]).board
        assert [each.tied for each in board if not each.cell] == [tied, tied]


def test_targets_that_memory_does_not_hold_give_the_same_board(tmp_path, monkeypatch):
    rows = 200
    y, city = RNG.normal(size=rows), ["rome", "oslo", None, "oslo"] * (rows // 4)
    TARGETS.head(rows).with_columns(city=pl.Series(city), y_true=y).write_parquet(tmp_path / "t.parquet")
    sound = pl.DataFrame({"id": range(rows), "pred": y + RNG.normal(size=rows)})
    zeros = pl.format("0{}", "id").alias("id")
    for name, frame in {
        "same": sound,
        "shuffled": sound.sample(fraction=1.0, shuffle=True, seed=1),
        "twice": pl.concat([sound, sound.head(1)]),
        "repeated": sound.with_columns(pl.when(pl.col("id") != 7).then("id").otherwise(8).alias("id")),
        "short": sound.head(rows - 1),
        "more": pl.concat([sound, sound.tail(1).with_columns(id=pl.lit(rows, pl.Int64))]),
        "zeros": sound.with_columns(zeros),
        "city": sound.with_columns(city=pl.lit("rome")),
    }.items():
        frame.write_csv(tmp_path / f"{name}.csv")
    sound.write_parquet(tmp_path / "same.parquet")
    submissions = sorted(path for path in tmp_path.iterdir() if path.name != "t.parquet")
    for more in ({"by": ["city", "Usage,city"]}, {"on": "position"}):
        asked = {"targets": tmp_path / "t.parquet", "target": "y_true", "loss": "rmse", **more}
        held = losscli.rank(*submissions, **asked).board
        monkeypatch.setattr("losscli.evaluation.rank.HELD", 0)
        assert losscli.rank(*submissions, **asked).board == held
        monkeypatch.undo()


def test_columns_of_the_targets_are_meant_whatever_submissions_add():
    own = [each.with_columns(Usage=pl.lit("Public"), w=pl.lit(9.0)) for each in SUBMISSIONS[:2]]
    asked = {"targets": TARGETS, "loss": "rmse", "by": ["Usage", "Usage,w:2"], "weight": "w"}
    alone = losscli.rank(*SUBMISSIONS[:2], **asked)
    for submissions in (own, [own[0], SUBMISSIONS[1]], [SUBMISSIONS[0], own[1]]):
        assert losscli.rank(*submissions, **asked).board == alone.board
    with pytest.raises(UsageError, match="--scale-by must be text, got 5"):
        losscli.rank(*SUBMISSIONS, targets=TARGETS, scale_by=5)


@pytest.mark.parametrize("column", ["region:3", "day:month", "a:b", "targets.x"])
def test_a_column_of_the_targets_may_be_called_like_bins(column):
    targets = TARGETS.with_columns(pl.col("Usage").alias(column))
    board = losscli.rank(*SUBMISSIONS[:2], targets=targets, loss="rmse", by=column).board
    alone = losscli.rank(*SUBMISSIONS[:2], targets=TARGETS, loss="rmse", by="Usage").board
    assert [each.value for each in board] == [each.value for each in alone]
    pairs = (SUBMISSIONS[0], targets)
    plain = losscli.evaluate(*pairs, loss="rmse", by=column).results
    assert losscli.evaluate(*pairs, loss="rmse", by=f"targets.{column}").results == plain


def test_groups_are_those_of_the_targets():
    rows = 40
    targets = pl.DataFrame({"id": range(rows), "q": np.arange(rows) // 4, "y_true": np.arange(rows) % 3})
    own = targets.select("id", pred=pl.Series(RNG.normal(size=rows)))
    asked = {"targets": targets, "target": "y_true", "pred": "pred", "on": "id", "group": "q", "loss": "ndcg"}
    found = losscli.rank(own, own.with_columns(q=pl.lit(1)), **asked)
    assert len({each.value for each in found.board}) == 1


def test_an_option_of_text_that_no_input_needs_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("id,y_pred\n1,2\n2,3\n")
    (tmp_path / "b.csv").write_text("id;y_pred\n1;2\n2;4\n")
    (tmp_path / "t.csv").write_text("id,y_true\n1,2\n2,3\n")

    def ranked(*names: str, **options: str) -> losscli.Report:
        return losscli.rank(*(tmp_path / name for name in names), targets=tmp_path / "t.csv", **options)

    assert len(ranked("a.csv", "b.csv", loss="mae", separator=";").board) == 2
    with pytest.raises(UsageError, match="no header has it"):
        ranked("a.csv", loss="mae", separator=";")
    with pytest.raises(UsageError, match="whose names do not tell their format"):
        ranked("a.csv", loss="mae", input_format="csv")
