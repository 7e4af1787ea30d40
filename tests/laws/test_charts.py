"""Charts of every task have the columns of their kind, whatever the rows, and come back from JSON."""

import pytest
from support.cases import CASES
from support.grids import first_of
from support.samples import LOSSES

from losscli.cli.app import run
from losscli.report.charts import KINDS
from losscli.report.model import Report

EVALUATED = [case for case in CASES if case.arguments[0] == "evaluate" and case.loss in LOSSES]
OF_EACH_BATCH = {LOSSES[case.loss].batch: case for case in reversed(EVALUATED)}


@pytest.mark.parametrize("case", first_of(lambda case: LOSSES[case.loss].task, OF_EACH_BATCH.values()))
def test_charts_are_those_of_the_table(case, monkeypatch, capsys):
    monkeypatch.chdir(case.folder)
    assert run([*case.arguments, "--json", "--charts"]) == 0
    report = Report.from_json(capsys.readouterr().out)
    for chart in report.charts:
        kind = KINDS[chart.name]
        assert list(chart.columns) == [column.name for column in kind.columns]
        assert not kind.tasks or LOSSES[case.loss].task in kind.tasks
        assert all(len(values) > 0 for values in chart.columns.values())
        for name, low in chart.columns.items():
            if name.endswith("_low") and name != "ci_low":
                high = chart.columns[name.removesuffix("low") + "high"]
                assert all(a <= b for a, b in zip(low, high, strict=True))
