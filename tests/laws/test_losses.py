"""What holds for every loss of the registry."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.samples import LOGARITHMIC, LOSSES, ROWS, chosen, rows, taken, value

from losscli.catalog import registry
from losscli.catalog.params import Param
from losscli.tasks.base import sealed
from losscli.tasks.named import Named

every_loss = pytest.mark.parametrize("entry", LOSSES.values(), ids=LOSSES)
examples = pytest.mark.parametrize("examples", [8, pytest.param(50, marks=pytest.mark.slow)])
"""How many choices of parameters are drawn for a loss."""


def parameters(entry) -> st.SearchStrategy[dict[str, object]]:
    """Parameters a loss may have."""
    required = {param.name: values(param) for param in entry.params if param.required}
    optional = {param.name: values(param) for param in entry.params if not param.required}
    drawn = st.fixed_dictionaries(required, optional=optional)
    return drawn.map(lambda given: risen(entry, given)) if entry.increasing else drawn


def risen(entry, given: dict[str, object]) -> dict[str, object]:
    """The parameters that must rise, all of them given, in their order."""
    found = sorted(given.get(name, entry.param(name).default) for name in entry.increasing)
    steps = range(len(found))
    return {**given, **{name: found[i] + i for name, i in zip(entry.increasing, steps, strict=True)}}


def values(param: Param) -> st.SearchStrategy[object]:
    if param.dimensions is not None:
        vector = st.lists(st.floats(1e-3, 100), min_size=7, max_size=7)  # as the samples have
        found = vector if param.dimensions.axes == 1 else vector.map(lambda v: np.outer(v, v) + np.eye(7))
    elif param.kind is bool or param.choices:
        found = st.sampled_from(param.choices or (True, False))
    elif param.kind is int:
        found = st.integers(int(param.range.low), int(min(param.range.high, 50)))
    else:
        found = st.floats(max(param.range.low, -100), min(param.range.high, 100)).filter(
            param.range.__contains__
        )
    return st.none() | found if param.optional else found


@every_loss
def test_perfect_predictions_have_the_best_value(entry):
    found = value(entry.name, rows(entry.name, perfect=True))
    if entry.name in LOGARITHMIC or (entry.best is not None and issubclass(entry.batch, Named)):
        # A law has a width, and an ensemble a spread.
        assert found == pytest.approx(entry.best, abs=1e-15)
    elif entry.best is not None:
        assert found == entry.best


@every_loss
def test_imperfect_predictions_are_worse(entry):
    found = [value(entry.name, rows(entry.name, seed)) for seed in range(5)]
    perfect = [value(entry.name, rows(entry.name, seed, perfect=True)) for seed in range(5)]
    assert len(set(found)) > 1
    if not entry.signed:
        assert all(x < y if entry.score else x > y for x, y in zip(found, perfect, strict=True))


@every_loss
def test_code_of_users_gets_the_same_numbers_which_it_cannot_write(entry):
    batch = rows(entry.name)
    own = sealed(batch)
    assert isinstance(own, type(batch))
    params = chosen(entry.name).params
    for one, other in zip(entry.columns(batch, params), entry.columns(own, params), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)
    for name in (*own.__struct_fields__, *vars(own)):
        if isinstance(array := getattr(own, name), np.ndarray) and array.size:
            with pytest.raises(ValueError, match="read-only"):
                array *= 0


@every_loss
def test_a_row_column_has_a_number_for_each_row_whatever_the_other_rows_are(entry):
    batch = rows(entry.name)
    params = chosen(entry.name).params
    order = np.random.default_rng(1).permutation(ROWS)[: ROWS // 2]
    for whole, part in zip(
        entry.columns(batch, params), entry.columns(taken(batch, order), params), strict=True
    ):
        assert whole.shape == (ROWS,)
        assert np.isfinite(whole).all()
        np.testing.assert_allclose(part, whole[order], rtol=1e-13)


@every_loss
def test_a_row_of_weight_two_counts_as_two_rows(entry):
    batch = rows(entry.name)
    twice = np.random.default_rng(2).integers(1, 3, ROWS)
    expected = value(entry.name, taken(batch, np.repeat(np.arange(ROWS), twice)))
    assert value(entry.name, batch, twice * 1.0) == pytest.approx(expected, rel=1e-12)


@every_loss
@examples
def test_any_parameters_in_range_give_numbers_and_read_back_from_their_text(entry, examples):
    batch = rows(entry.name)

    @settings(max_examples=examples, deadline=None)
    @given(parameters(entry))
    def check(drawn):
        choice = registry.choose(entry, drawn, {})
        with np.errstate(all="ignore"):
            for column in entry.columns(batch, choice.params):
                assert not np.isnan(column).any()
        name, inline = registry.parse(str(choice))
        assert name == entry.name
        assert registry.choose(entry, inline, {}).params == choice.params

    check()


def test_documentation_has_summary_formula_unit_and_reference():
    for entry in LOSSES.values():
        summary, formula, *_, reference = entry.doc.split("\n\n")
        assert entry.summary == summary
        assert re.fullmatch(r"[A-Z].*\.", summary), entry
        assert "  Unit: " in " ".join(formula.split("\n")) or "\nUnit: " in formula, entry
        assert entry.formula
        assert "Unit" not in entry.formula
        assert entry.unit in {
            *("1", "nat", "nat^(1/2)", "pixel", "score", "score^2", "score^p"),
            *("target", "target^(1/2)", "target^2", "target^4", "target^q", "target^(2-p)", "target^(2p)"),
        }
        assert re.search(r"\(\d{4}\)|user guide", reference), entry
        assert entry.reference == reference
        assert all(len(line) <= 110 for line in entry.doc.splitlines()), entry


def test_parameters_say_what_they_take_and_their_defaults_are_such():
    for param in (param for entry in LOSSES.values() for param in entry.params):
        assert re.match(
            r"a number|a whole number|true or false|[\w-]+(, [\w-]+)* or [\w-]+", param.describe()
        )
        assert param.required or param.parse(param.default) == param.default


def test_every_name_finds_the_loss_in_any_case():
    for entry in LOSSES.values():
        for name in (entry.name, *entry.aliases):
            for written in (name, name.upper(), name.lower()):
                assert entry in registry.find(written)
        assert registry.find(entry.name)[0] is entry
        assert re.fullmatch(r"[a-z][a-z0-9_]*", entry.name)


@pytest.mark.parametrize("entry", [entry for entry in LOSSES.values() if entry.worst is not None])
def test_no_prediction_exceeds_the_worst_value(entry):
    low, high = entry.bounds
    for seed in range(5):
        found = value(entry.name, rows(entry.name, seed))
        assert math.isnan(found) or low - 1e-12 <= found <= high + 1e-12
