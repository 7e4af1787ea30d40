"""A gate that judges nothing is status 3, in every command that judges, and an error in JUnit."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import polars as pl
import pytest
from support.grids import some

from losscli.errors import Status

N = 60
RNG = np.random.default_rng(3)
TARGETS = pl.DataFrame(
    {
        "id": range(N),
        "target": RNG.normal(size=N),
        "region": ["eu"] * 30 + ["us"] * 29 + ["ap"],
        "weight": [0.0] * 30 + [1.0] * 30,
    }
)
BY = ("--by", "region")
OF_ONE = {
    "a slice that does not exist": ("mae[region=zz] <= 9", BY),
    "the rows of a slice that does not exist": ("n[region=zz] >= 0", BY),
    "a slice without a name": ('mae[region=""] <= 9', BY),
    "slices that nothing cuts": ("mae[region=*] <= 9", ()),
    "classes of a task without classes": ("mae[class=*] <= 9", ()),
    "a combination that nothing cuts": ("mae[region=eu,device=x] <= 9", BY),
    "a slice whose weights are zero": ("mae[region=eu] <= 9", (*BY, "-w", "weight")),
    "a slice that --where leaves out": ("mae[region=eu] <= 9", (*BY, "--where", "region <> 'eu'")),
    "the bound of one row": ("hi(mae[region=ap]) <= 9", BY),
    "no interval, for --strict": ("mae <= 9", ("--ci", "none", "--strict")),
    "fewer rows than it needs": ("mae <= 9", ("--min-n", "61")),
    "only slices with fewer rows": ("mae[region=*] <= 9", (*BY, "--min-n", "31")),
}
OF_BASE = {"no base": ("mae <= base", ())}
OF_MODELS = {
    "the base with itself": ("mae[a] <= base - 90%", ()),
    "the base with itself, by name": ('mae["p.csv"] <= base + 9', ()),
    "a model with itself": ("mae[b] <= mae[b]", ()),
    "the bound of the base": ("hi(mae[a]) <= base", ()),
    "the rows of the base": ("n[a] >= base", ()),
    "a model that does not exist": ("mae[c] <= 9", ()),
    "a base that does not exist": ("mae[b] <= mae[c]", ()),
    "a slice of both that does not exist": ("mae[b][region=zz] <= mae[a][region=zz]", BY),
}
EVALUATE = ("evaluate", "p.csv", "t.csv")
COMPARE = ("compare", "p.csv", "q.csv", "-t", "t.csv")
CASES = {
    **{f"evaluate: {name}": (EVALUATE, *case) for name, case in {**OF_ONE, **OF_BASE}.items()},
    **{f"compare: {name}": (COMPARE, *case) for name, case in {**OF_ONE, **OF_MODELS}.items()},
}
RULES = ("--min-n", "--strict")


def errors(path):
    return [case for case in ET.parse(path).iter("testcase") if case.find("error") is not None]


@pytest.mark.parametrize("case", some(CASES))
def test_a_gate_that_judges_nothing_is_status_3(case, losscli):
    command, gate, options = CASES[case]
    for name in ("p", "q"):
        losscli.write(**{name: pl.DataFrame({"id": range(N), "prediction": RNG.normal(size=N)})})
    losscli.write(t=TARGETS)
    gates = ("-g", gate)
    done = losscli(*command, "-l", "mae", *options, *gates, "-o", "report.json", "-o", "gates.xml")
    assert done.status == Status.DATA, done.err
    assert "cannot be judged" in done.err
    assert errors("gates.xml")
    rules = [word for word in options if word in RULES or word.isdigit()]
    again = losscli("gate", "report.json", *gates, *rules, "-o", "again.xml")
    assert again.status == Status.DATA, again.err
    assert len(errors("again.xml")) == len(errors("gates.xml"))
