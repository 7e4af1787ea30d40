"""Saved states: parts merge to the report of one run, and what does not belong together is refused."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import losscli
from losscli._version import __version__
from losscli.custom import Regression
from losscli.errors import DataError, UsageError
from losscli.evaluation import following, storage
from losscli.states import archive

ROWS, CUTS = 700, (0, 90, 256, 300, 512, 690, 700)


def table(rows: int = ROWS) -> pl.DataFrame:
    r = np.random.default_rng(5)
    target = r.normal(100, 3, rows)
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            "y_true": target,
            "y_pred": target + r.normal(0.3, 1, rows),
            "other": target + r.normal(0, 1.2, rows),
            "w": r.random(rows) + 0.1,
            "age": r.integers(20, 60, rows),
            "region": r.choice(["eu", "us", "asia"], rows),
            "user": r.integers(0, 40, rows),
        }
    )


WHOLE = table()
SETTINGS = {
    "plain": {"loss": ["mae", "huber:delta=2", "rmse"]},
    "references": {"loss": ["r2", "explained_variance", "max_error"]},
    "weighted": {"loss": ["r2", "mae"], "weight": "w"},
    "slices": {"loss": ["rmse", "r2"], "by": ["region", "age:4", "region,age"]},
    "clusters": {"loss": ["mae", "r2"], "cluster": "user", "by": "region"},
    "order": {"loss": ["mae@p95", "median_absolute_error", "spearman"], "by": "region"},
    "expression": {"loss": "expr: abs(e)**1.5", "where": "age > 30"},
    "worst": {"loss": "mae", "worst": 4},
    "like a library": {"loss": ["r2", "mae"], "like": "sklearn", "weight": "w"},
}
ONE = {"pred": "y_pred", "target": "y_true"}


@pytest.fixture
def parts(tmp_path):
    """Files of the parts of the table."""
    WHOLE.write_parquet(tmp_path / "whole.parquet")
    paths = [tmp_path / f"part-{number}.parquet" for number in range(1, len(CUTS))]
    for path, (start, end) in zip(paths, itertools.pairwise(CUTS), strict=True):
        WHOLE[start:end].write_parquet(path)
    return paths


def states(tmp_path, parts, options, numbered=True):
    """The states of the parts, evaluated under the plan of the first rows of the whole."""
    plan, found = tmp_path / "whole.state", []
    losscli.evaluate(tmp_path / "whole.parquet", **ONE, **options, state=plan)
    for number, path in enumerate(parts, 1):
        found.append(path.with_suffix(".state"))
        part = f"{number}/{len(parts)}" if numbered else None
        losscli.evaluate(path, plan=plan, part=part, state=found[-1], worst=options.get("worst"))
    return found


@pytest.mark.parametrize("name", SETTINGS)
def test_parts_in_any_order_give_the_report_of_one_run(name, tmp_path, parts):
    options = SETTINGS[name]
    whole = losscli.evaluate(tmp_path / "whole.parquet", **ONE, **options)
    found = states(tmp_path, parts, options)
    merged = losscli.merge(*found)
    draw = random.Random(3)
    for _ in range(3):
        draw.shuffle(found)
        assert losscli.merge(*found).to_json() == merged.to_json()
    assert merged.signature == whole.signature
    assert merged.provenance == whole.provenance
    assert merged.worst == whole.worst
    assert_alike(merged, whole)


def assert_alike(merged, whole):
    """Values with the same bits, all else but for rounding.

    In a slice of three rows, an interval magnifies the rounding of its third moment.
    """
    close = {"value": 1e-14, "ci_low": 1e-11, "ci_high": 1e-11}
    for own, expected in zip(merged.results, whole.results, strict=True):
        assert (own.loss, own.label, own.cell, own.rows) == (
            expected.loss,
            expected.label,
            expected.cell,
            expected.rows,
        )
        for field in ("value", "se", "ci_low", "ci_high", "weight", "share", "df"):
            a, b = getattr(own, field), getattr(expected, field)
            assert (a is None) == (b is None), field
            if a is not None:
                assert a == pytest.approx(b, rel=close.get(field, 1e-12), abs=0), field


def test_parts_of_a_power_of_two_of_blocks_give_the_same_bits(tmp_path, monkeypatch):
    from losscli.plan import plan

    monkeypatch.setattr(plan, "BLOCK_NUMBERS", 8 * 256)
    rows = table(7 * 256 + 11)
    rows.write_parquet(tmp_path / "whole.parquet")
    options = {"loss": ["r2", "mae", "huber"], "by": "region", "weight": "w"}
    whole = losscli.evaluate(tmp_path / "whole.parquet", **ONE, **options, state=tmp_path / "whole.state")
    for size in (256, 512, 1024):
        cuts = [rows[start : start + size] for start in range(0, len(rows), size)]
        for number, cut in enumerate(cuts, 1):
            own = tmp_path / f"{number}.state"
            label = f"{number}/{len(cuts)}"
            losscli.evaluate(cut, plan=tmp_path / "whole.state", part=label, state=own)
        merged = losscli.merge(*(tmp_path / f"{number}.state" for number in range(1, len(cuts) + 1)))
        assert [*map(repr, merged.results)] == [*map(repr, whole.results)]


def test_states_of_comparisons_merge(tmp_path, parts):
    def compared(path, **options):
        models = {"a": pl.read_parquet(path), "b": pl.read_parquet(path).with_columns(y_pred="other")}
        return losscli.compare(
            models, loss=["mae", "r2", "mae@p90"], by="region", changed=3, **ONE, **options
        )

    whole = compared(tmp_path / "whole.parquet", state=tmp_path / "whole.state")
    found = [path.with_suffix(".state") for path in parts]
    for number, (path, state) in enumerate(zip(parts, found, strict=True), 1):
        compared(path, plan=tmp_path / "whole.state", part=f"{number}/{len(parts)}", state=state)
    merged = losscli.merge(*found)
    assert merged.changed == whole.changed
    assert_alike(merged, whole)
    for own, expected in zip(merged.comparisons, whole.comparisons, strict=True):
        assert (own.cell, own.better, own.worse) == (expected.cell, expected.better, expected.worse)
        for field in ("difference", "se", "ci_low", "ci_high", "p_value", "contribution"):
            a, b = getattr(own, field), getattr(expected, field)
            assert a == (None if b is None else pytest.approx(b, rel=1e-10, abs=1e-15)), field


def test_merged_states_merge_on_and_are_judged(tmp_path, parts):
    found = states(tmp_path, parts, {"loss": "mae"}, numbered=False)
    losscli.merge(*found[:3], state=tmp_path / "first.state")
    losscli.merge(*found[3:], state=tmp_path / "second.state")
    report = losscli.merge(
        tmp_path / "first.state", tmp_path / "second.state", gate=["mae <= 9", "hi(mae) <= 0"]
    )
    assert [verdict.status for verdict in report.gates] == ["pass", "fail"]
    base = losscli.evaluate(tmp_path / "whole.parquet", **ONE, loss="mae")
    assert losscli.merge(*found, baseline=base, gate="mae <= base").passed


def problems(*found, **options) -> str:
    with pytest.raises((DataError, UsageError)) as raised:
        losscli.merge(*found, **options)
    return str(raised.value)


def test_what_does_not_belong_together_is_refused_with_the_option_that_differs(tmp_path, parts):
    def state(path, name, **options):
        given = {"loss": "mae", **ONE, "state": tmp_path / name, **options}
        losscli.evaluate(path, **given)
        return tmp_path / name

    first = state(parts[0], "1.state")
    assert "--loss" in problems(first, state(parts[1], "2.state", loss="huber"))
    assert "--weight w, not none" in problems(first, state(parts[1], "2.state", weight="w"))
    assert "--where" in problems(first, state(parts[1], "2.state", where="age > 30"))
    assert "--ci 0.9, not 0.95" in problems(first, state(parts[1], "2.state", ci=0.9))
    assert "the same rows twice" in problems(first, first)
    copy = tmp_path / "copy.parquet"
    copy.write_bytes(parts[0].read_bytes())
    assert "the same rows twice" in problems(first, state(copy, "2.state"))
    for loss, says in {"r2": "r2: other reference points", "huber": ""}.items():
        both = [state(path, f"{n}.state", loss=loss) for n, path in enumerate(parts[:2])]
        assert says in problems(*both) if says else losscli.merge(*both)
    both = [state(path, f"{n}.state", by="age:4") for n, path in enumerate(parts[:2])]
    assert "bins of --by" in problems(*both)
    assert "--dry-run -o run.plan" in problems(*both)


def test_a_missing_part_and_parts_of_other_counts_are_refused(tmp_path, parts):
    def part(path, label):
        state = tmp_path / f"{path.stem}-{label.replace('/', '-')}.state"
        losscli.evaluate(path, loss="mae", **ONE, part=label, state=state)
        return state

    one, two, three = part(parts[0], "1/3"), part(parts[1], "2/3"), part(parts[2], "3/3")
    assert "part 2 of 3 missing" in problems(one, three)
    assert "parts 1, 3 of 3 missing" in problems(two)
    assert "part 3 of 3 is given 2 times" in problems(one, two, three, part(parts[3], "3/3"))
    assert "numbered in several ways" in problems(one, two, three, part(parts[3], "4/4"))
    assert losscli.merge(three, one, two)["mae"].rows == CUTS[3]


def test_options_of_the_plan_are_taken_and_others_refused(tmp_path, parts):
    losscli.evaluate(tmp_path / "whole.parquet", **ONE, loss="huber", weight="w", state=tmp_path / "w.state")
    report = losscli.evaluate(parts[0], plan=tmp_path / "w.state")
    assert (report.results[0].label, report.provenance["weight"]) == ("huber", "w")
    with pytest.raises(UsageError, match=r"--loss mean_absolute_error, not huber"):
        losscli.evaluate(parts[0], plan=tmp_path / "w.state", loss="mae")


@pytest.mark.parametrize("option", ["plan", "state", "rows"])
def test_what_is_no_path_is_refused(option):
    with pytest.raises(UsageError, match=f"--{option} must be a path"):
        losscli.evaluate(WHOLE, **ONE, loss="mae", **{option: ["x.state"]})


def test_a_state_is_called_one():
    for path, reason in {"x.json": "ends in .state", "s3://b/x.state": "an output is a local file"}.items():
        with pytest.raises(UsageError, match=reason):
            losscli.evaluate(WHOLE, **ONE, loss="mae", state=path)


def test_code_in_a_file_runs_only_if_the_merge_names_it(tmp_path, parts, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function = "def mine(batch: Regression):\n    return {} * batch.abs_error\n"
    source = f"from losscli.custom import Regression\n\n\n{function}"
    (tmp_path / "own.py").write_text(source.format(2))
    for number, path in enumerate(parts[:2], 1):
        losscli.evaluate(path, loss="own.py:mine", **ONE, state=f"{number}.state")
    assert "own.py:mine is code in a file" in problems("1.state", "2.state")
    report = losscli.merge("1.state", "2.state", loss="own.py:mine")
    assert report["mine"].value == 2 * losscli.evaluate(WHOLE[: CUTS[2]], **ONE, loss="mae")["mae"].value
    (tmp_path / "own.py").write_text(source.format(3))
    assert "is not what it was" in problems("1.state", "2.state", loss="own.py:mine")


def test_a_function_of_this_program_cannot_be_saved(tmp_path):
    def mine(batch: Regression):
        return batch.abs_error

    with pytest.raises(UsageError, match=r"file\.py:function"):
        losscli.evaluate(WHOLE, **ONE, loss=mine, state=tmp_path / "x.state")
    assert not (tmp_path / "x.state").exists()


def test_a_bootstrap_draws_the_rows_of_each_part_apart(tmp_path, parts):
    options = {"loss": "mae", **ONE, "ci_method": "bootstrap", "replicates": 200}
    whole = losscli.evaluate(WHOLE, **options)["mae"]
    found = [path.with_suffix(".state") for path in parts]
    for path, state in zip(parts, found, strict=True):
        losscli.evaluate(path, **options, on="position", state=state)
    assert "number the parts: --part I/N" in problems(*found)
    for number, (path, state) in enumerate(zip(parts, found, strict=True), 1):
        losscli.evaluate(path, **options, on="position", part=f"{number}/{len(parts)}", state=state)
    merged = losscli.merge(*found)["mae"]
    assert merged.value == whole.value
    assert merged.se == pytest.approx(whole.se, rel=0.25)


FROZEN = Path(__file__).parent / "format-1.state"
"""Written once, by the first version of the format: of WHOLE[:60] with two losses of means and one of order,
weights, clusters, slices, bins and worst rows.
"""


def test_a_state_of_the_first_format_is_still_read(monkeypatch):
    """If this fails, `archive.FORMAT` has to rise, and this format to be read all the same."""
    _, arrays = archive.load(FROZEN.read_bytes())
    header, _ = archive.load(FROZEN.read_bytes())
    monkeypatch.setattr(storage, "__version__", header["losscli"])
    report = losscli.merge(FROZEN)
    expected = losscli.evaluate(WHOLE[:60], **ONE, weight="w", loss=["mae", "r2"], cluster="user")
    for loss in ("mae", "r2"):
        assert report[loss].value == expected[loss].value
    assert arrays["overall.0.n"].tolist() == [60]


def test_a_state_of_another_version_is_refused(tmp_path, parts, monkeypatch):
    losscli.evaluate(parts[0], **ONE, loss="mae", state=tmp_path / "x.state")
    monkeypatch.setattr(storage, "__version__", "99.0")
    assert f"is a state of losscli {__version__}, and this is 99.0" in problems(tmp_path / "x.state")
    monkeypatch.undo()
    monkeypatch.setattr(storage.hashing, "VERSION", 99)
    assert "another hash of clusters" in problems(tmp_path / "x.state")


def test_findings_keep_their_counts_and_name_their_part(tmp_path):
    for number, lost in enumerate((2, 3), 1):
        rows = WHOLE[number * 50 : number * 50 + 50].with_columns(
            y_pred=pl.when(pl.int_range(50) < lost).then(None).otherwise("y_pred")
        )
        rows.write_csv(tmp_path / f"p{number}.csv")
        options = {"loss": "mae", "missing": "drop", "state": tmp_path / f"{number}.state"}
        losscli.evaluate(tmp_path / f"p{number}.csv", **ONE, **options)
    report = losscli.merge(tmp_path / "1.state", tmp_path / "2.state")
    (dropped,) = [note for note in report.findings if note.code == "missing-value"]
    assert dropped.count == 5
    assert "p1.csv: row 1" in dropped.examples[0]
    assert {note.code for note in report.findings} >= {"merged", "keys-by-part"}


def test_changed_states_are_refused(tmp_path, parts):
    (state, *_) = states(tmp_path, parts, SETTINGS["clusters"])
    data = state.read_bytes()
    draw = random.Random(2)
    for _ in range(200):
        changed = bytearray(data)
        changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        state.write_bytes(changed)
        assert "state" in problems(state)


def test_the_program_writes_states_with_its_reports_or_nothing(losscli):
    losscli.write(p=WHOLE)
    assert losscli("evaluate", "p.csv", "-p", "y_pred", "-y", "y_true", "-l", "r2", "--dry-run",
                           "-o", "run.plan").status == 0  # fmt: skip
    done = losscli("evaluate", "p.csv", "--plan", "run.plan", "--state", "s.state", "-o", "r.json")
    assert done.status == 0, done.err
    report = json.loads((losscli.folder / "r.json").read_text())
    merged = losscli("merge", "s.state", "--json")
    assert json.loads(merged.out)["results"] == report["results"]
    assert losscli("merge", "s.state", "-g", "r2 >= 2").status == 1
    assert losscli("merge", "run.plan").status == 3
    assert losscli("merge", "s.state", "--state", "s.state").status == 2
    assert losscli("evaluate", "p.csv", "-l", "mae", "-o", "x.plan").status == 2
    failed = losscli("evaluate", "p.csv", "--plan", "run.plan", "--state", "no/dir/s.state",
                             "-g", "r2 >= 0.1", "-o", "/proc/none.md")  # fmt: skip
    assert failed.status == 3
    assert not (losscli.folder / "no" / "dir" / "s.state").exists()


def test_rows_that_a_condition_leaves_out_count_in_the_numbers_of_rows(tmp_path, parts):
    options = {"loss": ["mae", "max_error"], "where": "age > 30", "worst": 6}
    whole = losscli.evaluate(tmp_path / "whole.parquet", **ONE, **options)
    merged = losscli.merge(*states(tmp_path, parts, options))
    assert merged.worst == whole.worst
    assert merged["max_error"].notes == whole["max_error"].notes
    filtered = [note for note in merged.findings if note.code == "filtered-rows"]
    assert filtered == [note for note in whole.findings if note.code == "filtered-rows"]


def test_rows_count_once_however_states_were_merged_before(tmp_path, parts):
    one, two, both = tmp_path / "one.state", tmp_path / "two.state", tmp_path / "both.state"
    for state, rows in ((one, parts[0]), (two, parts[1])):
        losscli.evaluate(rows, **ONE, loss="mae", state=state)
    losscli.merge(one, two, state=both)
    for again in (one, two):
        assert "the same rows twice" in problems(both, again)


def test_parts_without_a_key_may_have_the_same_predictions(tmp_path):
    targets = np.arange(40.0)
    for number, own in enumerate((targets[:20], targets[20:]), 1):
        pl.DataFrame({"prediction": np.zeros(20)}).write_csv(tmp_path / f"p{number}.csv")
        pl.DataFrame({"target": own}).write_csv(tmp_path / f"t{number}.csv")
        files = (tmp_path / f"p{number}.csv", tmp_path / f"t{number}.csv")
        for name in (f"{number}.state", f"again-{number}.state"):
            losscli.evaluate(*files, loss="mae", state=tmp_path / name, ci=None if "again" in name else 0.95)
    assert losscli.merge(tmp_path / "1.state", tmp_path / "2.state")["mae"].value == targets.mean()
    assert "the same rows twice" in problems(tmp_path / "1.state", tmp_path / "again-1.state")


def test_losses_of_all_rows_together_are_not_merged(tmp_path):
    r = np.random.default_rng(2)
    rows = pl.DataFrame(
        {"log_hazard": r.normal(size=60), "time": r.exponential(size=60), "event": r.integers(0, 2, 60)}
    )
    found = [tmp_path / "1.state", tmp_path / "2.state"]
    for state, own in zip(found, (rows[:30], rows[30:]), strict=True):
        losscli.evaluate(own, loss="cox", state=state)
    assert losscli.merge(found[0])["cox"].value is not None
    assert "all rows are one group, which parts cannot share" in problems(*found)
    grouped = rows.with_columns(stratum=pl.lit("a"))
    for state, own in zip(found, (grouped[:30], grouped[30:]), strict=True):
        losscli.evaluate(own, loss="cox", group="stratum", state=state)
    assert "groups-by-part" in [note.code for note in losscli.merge(*found).findings]


def test_lists_of_rows_are_merged_only_where_all_parts_have_them(tmp_path, parts):
    found = [path.with_suffix(".state") for path in parts[:2]]
    for worst, other in ((3, None), (None, 3), (3, 2)):
        for path, state, most in zip(parts, found, (worst, other), strict=False):
            losscli.evaluate(path, **ONE, loss="mae", worst=most, state=state)
        assert f"--worst {other or 'none'}, not {worst or 'none'}" in problems(*found)
    for path, state, most in zip(parts, found, (3, 0), strict=False):
        models = {"a": pl.read_parquet(path), "b": pl.read_parquet(path).with_columns(y_pred="other")}
        losscli.compare(models, **ONE, loss="mae", changed=most, state=state)
    assert "give all parts the same --changed" in problems(*found)


def test_worst_rows_of_parts_in_other_formats_have_their_keys(tmp_path):
    found = [tmp_path / "1.state", tmp_path / "2.state"]
    WHOLE[:50].write_csv(tmp_path / "1.csv")
    WHOLE[50:100].write_parquet(tmp_path / "2.parquet")
    for path, state in zip(("1.csv", "2.parquet"), found, strict=True):
        losscli.evaluate(tmp_path / path, **ONE, loss="mae", worst=60, state=state)
    merged = losscli.merge(*found)
    assert {str(row["id"]) for row in merged.worst} <= {str(number) for number in range(100)}


def test_vectors_of_other_lengths_are_not_merged(tmp_path):
    r = np.random.default_rng(4)
    found = [tmp_path / "1.state", tmp_path / "2.state"]
    for state, width in zip(found, (3, 4), strict=True):
        rows = {"a": r.normal(size=(9, width)), "b": r.normal(size=(9, width))}
        losscli.evaluate(pl.DataFrame(rows), pred="a", target="b", loss="cosine_distance", state=state)
    assert "vectors of other lengths" in problems(*found)


def test_a_state_in_place_of_a_report_or_of_rows_is_named(tmp_path, parts):
    state = tmp_path / "own name.state"
    losscli.evaluate(parts[0], **ONE, loss="mae", state=state)
    remedy = f"losscli merge '{state}' -o report.json"
    for use in (
        lambda: losscli.load(state),
        lambda: losscli.gate(state, gate="mae <= 2"),
        lambda: losscli.evaluate(state, loss="mae"),
        lambda: losscli.evaluate(parts[0], **ONE, loss="mae", gate="mae <= base", baseline=state),
    ):
        with pytest.raises(DataError, match="a state of losscli, not") as caught:
            use()
        assert remedy in str(caught.value)


def test_patterns_that_share_a_file_are_refused(tmp_path):
    for number in range(1, 4):
        WHOLE[100 * number : 100 * number + 50].write_csv(tmp_path / f"part-1{number}.csv")
    (tmp_path / "part-14.csv").write_text(",".join(WHOLE.columns) + "\n")
    found = [tmp_path / f"{number}.state" for number in range(3)]
    for pattern, state in zip(("part-1[123].csv", "part-13.csv", "part-1[14].csv"), found, strict=True):
        losscli.evaluate(tmp_path / pattern, **ONE, loss="mae", state=state)
    for others in itertools.combinations(found[::2], 2):
        assert "the same rows twice" in problems(*others)
    assert "the same rows twice" in problems(*found[:2])
    assert losscli.merge(*found[1:])["mae"].rows == 100


@pytest.mark.parametrize("weights", [{}, {"class_weight": {"no": 2.0}}], ids=["plain", "weighted"])
def test_a_plan_fixes_the_labels_and_the_clip_of_parts_that_show_others(weights, tmp_path):
    r = np.random.default_rng(6)
    yes = np.sort(r.random(80) < 0.4)  # the second part has positive rows alone
    rows = pl.DataFrame({"label": np.where(yes, "yes", "no"), "prob": (r.random(80) * 1.1).clip(0, 1)})
    options = {"loss": ["log_loss", "roc_auc"], "positive": "yes", **weights}
    whole = losscli.evaluate(rows, **options, state=tmp_path / "plan.state")
    parts = rows[:60], rows[60:].with_columns(pl.col("prob").cast(pl.Float32))
    found = [tmp_path / "1.state", tmp_path / "2.state"]
    for state, own in zip(found, parts, strict=True):
        losscli.evaluate(own, plan=tmp_path / "plan.state", state=state)
    for own, expected in zip(losscli.merge(*found).results, whole.results, strict=True):
        assert (own.cell, own.rows) == (expected.cell, expected.rows)
        assert own.value == pytest.approx(expected.value, rel=1e-6)
    other = rows[60:].with_columns(label=pl.lit("maybe"))
    words = "no class 'no'" if weights else "maybe, yes, not no, yes"
    with pytest.raises(UsageError, match=words):
        losscli.evaluate(other, plan=tmp_path / "plan.state")


def test_options_that_differ_are_shown_with_their_defaults(tmp_path, parts):
    found = [path.with_suffix(".state") for path in parts[:2]]
    drawn = {"ci_method": "bootstrap", "replicates": 100}
    for options, words in (
        (({"ci": None}, {}), "--ci 0.95, not none"),
        (({**drawn, "seed": 1}, drawn), "--seed 0, not 1"),
        (({"approximate": True}, {}), "--approximate no, not yes"),
    ):
        for path, state, own in zip(parts, found, options, strict=False):
            losscli.evaluate(path, **ONE, loss="mae@p50", on="id", state=state, **own)
        assert words in problems(*found)


def test_a_comparison_with_a_baseline_follows_a_plan(tmp_path, parts):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    for folder, part in zip(("first", "second"), parts, strict=False):
        rows = pl.read_parquet(part)
        rows.write_parquet(tmp_path / folder / "new.parquet")
        rows.with_columns(y_pred="other").write_parquet(tmp_path / folder / "old.parquet")

    def state(folder, **options):
        new, old = (tmp_path / folder / f"{name}.parquet" for name in ("new", "old"))
        losscli.evaluate(new, baseline=old, **options, state=tmp_path / f"{folder}.state")
        return tmp_path / f"{folder}.state"

    options = {"loss": ["r2", "mae"], "by": "age:4"}
    first = state("first", **options, **ONE)
    merged = losscli.merge(first, state("second", plan=first))
    assert merged["r2"].rows == CUTS[2]
    losscli.evaluate(parts[0], **options, **ONE, state=tmp_path / "one.state")
    with pytest.raises(UsageError, match="losscli compare of 2 models, not losscli evaluate"):
        state("second", plan=tmp_path / "one.state")
    with pytest.raises(UsageError, match="leave these options to the plan"):
        state("second", plan=first, loss="mae")


def test_a_run_does_not_replace_the_plan_that_it_follows(losscli):
    losscli.write(p=WHOLE)
    assert (
        losscli("evaluate", "p.csv", "-p", "y_pred", "-y", "y_true", "-l", "r2", "--state", "s.state").status
        == 0
    )
    before = (losscli.folder / "s.state").read_bytes()
    done = losscli("evaluate", "p.csv", "--plan", "s.state", "--state", "s.state")
    assert done.status == 2
    assert "s.state is read too, and would be replaced" in done.err
    assert (losscli.folder / "s.state").read_bytes() == before


def test_a_list_of_states_is_taken_too(tmp_path, parts):
    found = states(tmp_path, parts, {"loss": "mae"})
    expected = losscli.merge(*found).to_json()
    assert losscli.merge(found).to_json() == losscli.merge(map(str, found)).to_json() == expected
    with pytest.raises(UsageError, match="no state"):
        losscli.merge([])


def test_a_baseline_is_compared_in_parts(tmp_path, parts):
    """Each part has predictions of its own, so that their names differ."""
    other = WHOLE.select("id", y_pred="other")
    other.write_parquet(tmp_path / "base.parquet")
    targets = tmp_path / "targets.parquet"
    WHOLE.select("id", "y_true").write_parquet(targets)
    options = {"loss": "mae", "gate": "mae <= base + 5%", "baseline": tmp_path / "base.parquet", **ONE}
    options |= {"on": "id", "unmatched": "drop"}
    found = []
    for number, path in enumerate(parts, 1):
        WHOLE[CUTS[number - 1] : CUTS[number]].select("id", "y_pred").write_parquet(path)
        found.append(path.with_suffix(".state"))
        losscli.evaluate(path, targets, **options, part=f"{number}/{len(parts)}", state=found[-1])
    WHOLE.select("id", "y_pred").write_parquet(tmp_path / "whole.parquet")
    whole = losscli.evaluate(tmp_path / "whole.parquet", targets, **options)
    merged = losscli.merge(*found, gate="mae <= base + 5%")
    assert [each.value for each in merged.results] == [each.value for each in whole.results]
    assert merged.comparisons[0].difference == pytest.approx(whole.comparisons[0].difference, rel=1e-12)
    assert [each.status for each in merged.gates] == [each.status for each in whole.gates]
    assert (merged.comparisons[0].a, merged.comparisons[0].b) == ("base.parquet", "predictions")
    counts = {
        note.text.split(",")[0]: note.count for note in merged.findings if note.code == "unmatched-in-part"
    }
    assert counts == {
        f"{5 * ROWS} times a target had no match in a part": 5 * ROWS,
        f"{5 * ROWS} times a prediction of {tmp_path / 'base.parquet'} had no match in a part": 5 * ROWS,
    }


def test_states_of_data_without_a_digest_say_so(tmp_path):
    found = [tmp_path / f"{number}.state" for number in range(2)]
    for number, state in enumerate(found):
        half = WHOLE[number * 350 : (number + 1) * 350]
        losscli.evaluate(half, loss="mae", **ONE, on="position", state=state)
    texts = [str(note) for note in losscli.merge(*found).findings]
    assert "2 states are of URLs, pipes or memory: whether they share rows was not checked" in texts


def test_a_plan_leaves_the_choice_of_a_device_to_each_part(tmp_path, parts):
    losscli.evaluate(parts[0], loss="mae", **ONE, device="auto", state=tmp_path / "auto.state")
    losscli.evaluate(parts[0], loss="mae", **ONE, device="cpu", state=tmp_path / "cpu.state")
    for asked in ("auto", "cpu"):
        saved = storage.load(str(tmp_path / f"{asked}.state"))
        assert following.options(saved, {}).get("device", "cpu") == asked
