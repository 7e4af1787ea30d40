"""What other libraries call a loss: every loss has its row, and the calls of scikit-learn give the number."""

import re
from importlib.resources import files

import numpy as np
import pytest
import sklearn._loss.loss
from scipy import spatial, special, stats
from sklearn import metrics

import losscli
from losscli.catalog import equivalents, registry
from losscli.catalog.equivalents import EVERY_LOSS, LIBRARIES

RNG = np.random.default_rng(11)
N = 60
POSITIVE = RNG.gamma(3.0, size=N)
PROBS = RNG.dirichlet([1.0, 1.0, 1.0], N)
LABELS = RNG.integers(0, 3, N)
SCORES = RNG.normal(size=N)
DATA = {
    "regression": {
        "y": POSITIVE,
        "p": POSITIVE * RNG.gamma(20.0, 0.05, N),
        "naive": np.roll(POSITIVE, 1),
    },
    "binary": {"y": (RNG.random(N) < PROBS[:, 0]).astype(float), "p": PROBS[:, 0], "s": SCORES},
    "multiclass": {"y": LABELS, "p": PROBS, "s": RNG.normal(size=(N, 3)), "label": PROBS.argmax(axis=1)},
    "divergence": {"y": RNG.dirichlet([2.0, 2.0, 2.0], N), "p": PROBS},
    "multilabel": {"y": RNG.integers(0, 2, (N, 3)), "p": RNG.random((N, 3))},
}
SCIPY = {"spatial": spatial, "special": special, "stats": stats}
PARAMS = {"p": 1.5, "alpha": 0.3, "power": 1.5, "threshold": 0.4, "delta": 0.7, "beta": 0.6, "k": 2}
ROWS = [(name, entry) for name, entries in equivalents.table().items() for entry in entries]
# Of the calls those that are one expression over a whole column.
CALLS = [
    (loss, entry.call)
    for loss in registry.list_losses()
    for entry in equivalents.of(loss.name)
    if entry.library in ("scikit-learn", "SciPy") and entry.agrees and loss.task in DATA
    if not re.search("row by row|over the levels|with full|least_squares", f"{entry.how} {entry.call}")
]


def test_every_loss_has_its_row():
    names = [loss.name for loss in registry.list_losses()]
    assert not [name for name in names if name not in equivalents.table()]
    assert not [name for name in names if not any(entry.call for entry in equivalents.of(name))]


def test_libraries_are_spelled_one_way_and_stand_once():
    assert {entry.library for _, entry in ROWS} == set(LIBRARIES)
    pairs = [(name, entry.library) for name, entry in ROWS]
    assert len(pairs) == len(set(pairs))
    for name in equivalents.table():
        order = [LIBRARIES.index(entry.library) for entry in equivalents.table()[name]]
        assert order == sorted(order), name


def test_what_never_gives_the_number_says_why():
    assert all(entry.how for name, entry in ROWS if not entry.agrees)
    assert all(bool(entry.call) == (name != EVERY_LOSS) for name, entry in ROWS)
    text = files("losscli.catalog").joinpath("equivalents.csv").read_text(encoding="utf-8")
    verdicts = {line.split(",")[2] for line in text.splitlines()[1:]}
    assert verdicts == {"yes", "no", ""}


def test_parameters_in_calls_are_those_of_the_loss():
    for loss in registry.list_losses():
        for entry in equivalents.of(loss.name):
            for name in re.findall(r"\w+=([a-z_]+)\b(?![('])", entry.call):
                known = {param.name for param in loss.params}
                assert name in known | {"inf", "false", "level"}, (loss.name, entry.call)


def test_libraries_that_are_asked_for_first_are_always_there():
    shown = [entry.library for entry in equivalents.of("r2")]
    assert set(shown) >= set(equivalents.ALWAYS_SHOWN)
    (optax,) = (entry for entry in equivalents.of("r2") if entry.library == "Optax")
    assert (optax.call, optax.agrees, optax.how) == ("", False, "has none")


@pytest.mark.parametrize(("loss", "call"), CALLS, ids=[loss.name for loss, _ in CALLS])
def test_calls_of_scikit_learn_and_scipy_give_the_number(loss, call):
    missing = [
        name for name in re.findall(r"(\w+_(?:score|loss|error))\(", call) if not hasattr(metrics, name)
    ]
    if missing:
        pytest.skip(f"this scikit-learn has no {missing[0]}")
    params = {param.name: PARAMS.get(param.name, param.default) for param in loss.params}
    data = DATA["divergence" if loss.task == "multiclass" and "axis=1" in call else loss.task]
    names = {name: getattr(metrics, name) for name in dir(metrics) if not name.startswith("_")}
    sides = {"prediction": data["p"], "target": data["y"]}
    functions = {"sklearn": sklearn, "exp": np.exp, "log": np.log, **SCIPY}
    scope = {**names, **functions, **data, **sides, **params}
    expected = eval(call, scope)
    prediction = data["s"] if re.search(r"\bs\b", call) else data["p"]
    options = {"naive": "naive"} if "naive" in loss.batch.needs else {}
    targets = {"y_true": data["y"], "naive": data["naive"]} if options else data["y"]
    options |= given(loss, params)
    report = losscli.evaluate(prediction, targets, loss=loss.name, task=loss.task, **options)
    assert report[loss.name].value == pytest.approx(float(expected), rel=1e-9)


def given(loss, params):
    return {name: value for name, value in params.items() if value is not None and loss.param(name)}
