"""--plot draws charts after the tables, of a run and of a saved report."""

from pathlib import Path

import pytest

ROWS = 20


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [(row, row / ROWS, row % 3 / 2) for row in range(ROWS)]
    for name, shift in (("p.csv", 0.0), ("q.csv", 0.5)):
        (tmp_path / name).write_text("id,pred\n" + "".join(f"{i},{p + shift}\n" for i, p, _ in rows))
    (tmp_path / "t.csv").write_text("id,y\n" + "".join(f"{i},{y}\n" for i, _, y in rows))
    return "p.csv", "t.csv"


def test_a_chart_follows_the_tables(losscli, files):
    found = losscli("evaluate", *files, "-l", "mae", "--plot", "bias", "--plot", "residuals")
    assert found.status == 0
    tables, bias, residuals = (found.out.index(text) for text in ("overall", "Bias by", "Residuals against"))
    assert tables < bias < residuals


def test_each_model_of_a_comparison_is_drawn(losscli, files):
    found = losscli("compare", "a=p.csv", "b=q.csv", "-t", "t.csv", "-l", "mae", "--plot", "bias")
    assert found.status == 0
    assert found.out.index("Bias by prediction: a") < found.out.index("Bias by prediction: b")


def test_a_saved_report_is_drawn_as_its_run_was(losscli, files):
    run = losscli("evaluate", *files, "-l", "mae", "--plot", "bias", "-o", "r.json")
    shown = losscli("show", "r.json", "--plot", "bias")
    assert shown.out == run.out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--plot", "roc"), "a regression task has no chart roc\n  -> charts: residuals, bias"),
        (("--plot", "reliabilty"), "Did you mean reliability?"),
        (
            ("--plot", "loss_distribution:mea"),
            "there is no loss mea. Did you mean mae?\n  -> losses: mae, huber:delta=2",
        ),
        (("--plot", "bias:mae"), "chart bias is not about a loss, but got bias:mae\n  -> --plot bias"),
        (("--plot", "loss_distribution:"), "no loss after the colon"),
        (("--plot", "bias", "--json"), "--plot draws after tables, and stdout has json"),
    ],
)
def test_what_cannot_be_drawn_is_an_error_before_any_work(losscli, files, argv, said):
    found = losscli("evaluate", *files, "-l", "mae", "-l", "huber:delta=2", *argv)
    assert found.status == 2
    assert said in found.err
    assert not found.out


def test_a_report_without_charts_says_how_to_have_them(losscli, files):
    losscli("evaluate", *files, "-l", "mae", "-o", "r.json")
    found = losscli("show", "r.json", "--plot", "bias")
    assert found.status == 2
    assert "the report has no chart bias\n  -> losscli evaluate ... --charts -o report.json" in found.err


def test_a_chart_that_the_losses_do_not_give_is_named(losscli, files):
    found = losscli("evaluate", *files, "-l", "r2", "--plot", "loss_distribution")
    assert found.status == 0
    assert "--plot loss_distribution: this run has no such chart; it has residuals, bias" in found.err


@pytest.mark.parametrize("chosen", ["huber", "huber:delta=2"])
def test_the_chart_of_one_loss_is_drawn(losscli, files, chosen):
    plot = f"loss_distribution:{chosen}"
    run = losscli("evaluate", *files, "-l", "mae", "-l", "huber:delta=2", "--plot", plot, "-o", "r.json")
    assert run.out.count("Distribution of the loss") == 1
    assert "Distribution of the loss: huber:delta=2" in run.out
    assert losscli("show", "r.json", "--plot", plot).out == run.out
    losscli.refuses(2, "show", "r.json", "--plot", "bias:mae", said=["chart bias is not about a loss"])
    losscli.refuses(
        2, "show", "r.json", "--plot", "loss_distribution:r2", said=["losses: mae, huber:delta=2"]
    )


def test_several_reports_are_not_drawn(losscli, files):
    for name in ("a.json", "b.json"):
        losscli("evaluate", *files, "-l", "mae", "--charts", "-o", name)
    found = losscli("show", "a.json", "b.json", "--plot", "bias")
    assert found.status == 2
    assert "--plot takes one report" in found.err


def test_parts_are_drawn_as_one(losscli, files):
    rows = Path("p.csv")
    head, *lines = rows.read_text().splitlines(keepends=True)
    given = ("--unmatched", "drop", "-l", "mae", "--charts")
    losscli("evaluate", *files, *given, "--dry-run", "-o", "run.plan")
    for place, part in enumerate((lines[:7], lines[7:]), 1):
        rows.with_name(f"{place}.csv").write_text(head + "".join(part))
        found = losscli(
            "evaluate", f"{place}.csv", "t.csv", "--plan", "run.plan", "--state", f"{place}.state"
        )
        assert found.status == 0, found.err
    merged = losscli("merge", "2.state", "1.state", "--plot", "residual_distribution")
    whole = losscli("evaluate", *files, "-l", "mae", "--plot", "residual_distribution")
    title = "Distribution of residuals"
    assert merged.out[merged.out.index(title) :] == whole.out[whole.out.index(title) :]


def test_a_plan_says_whether_charts_are_kept(losscli, files):
    losscli("evaluate", *files, "-l", "mae", "--dry-run", "-o", "run.plan")
    found = losscli("evaluate", *files, "--plan", "run.plan", "--plot", "bias")
    assert found.status == 0
    assert "--plot bias: this run has no such chart; it has none" in found.err
