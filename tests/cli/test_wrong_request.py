"""Requests that make no sense: status 2, what is wrong, the names that were near, and what to do instead."""

from __future__ import annotations

import shlex

import pytest

FILES = {
    "p": "id,pred\n1,1.5\n2,2.5\n3,2.0\n",
    "y": "id,y\n1,1.0\n2,2.0\n3,3.0\n",
    "b": "id,prob\n1,.5\n2,.4\n3,.3\n",
    "z": "id,y\n1,yes\n2,no\n3,yes\n",
    "z2": "id,label\n1,yes\n2,yes\n3,no\n",
    "c": "id,cat,dog\n1,.8,.2\n2,.1,.9\n3,.5,.5\n",
    "l": "id,label\n1,cat\n2,dog\n3,dog\n",
}

# name: (arguments after `evaluate`, and what stderr must hold in this order)
WRONG = {
    # losses and their parameters
    "unknown loss": (
        "p.csv y.csv -l hubber",
        "unknown loss 'hubber'. Did you mean huber",
        "-> losscli explain",
    ),
    "two unknown losses": ("p.csv y.csv -l hubber -l mse -l maee", "'hubber'", "'maee'. Did you mean mae"),
    "unknown parameter": (
        "p.csv y.csv -l huber:dleta=1",
        "huber has no parameter 'dleta'. Did you mean delta?",
    ),
    "missing parameter": ("p.csv y.csv -l lq", "lq needs q: a number >= 1, as in lq:q=..."),
    "parameters that do not rise": (
        "p.csv y.csv -l hampel:a=9",
        "hampel needs a < b < c, got a=9, b=4, c=8",
        "-> losscli explain hampel",
    ),
    "parameter without a value": (
        "p.csv y.csv -l huber:delta",
        "'huber:delta': parameters are written name=value",
    ),
    "parameter out of range": (
        "p.csv y.csv -l huber:delta=0 -l pinball:alpha=2",
        "huber: delta must be a number > 0, got 0",
        "-> losscli explain huber",
        "pinball: alpha must be a number >= 0, <= 1, got 2",
    ),
    "option out of range": ("p.csv y.csv -l huber --delta -1", "delta must be a number > 0, got -1"),
    "NaN is out of every range": ("p.csv y.csv -l huber --delta nan", "delta must be a number > 0, got nan"),
    "options that no loss takes": (
        "p.csv y.csv -l huber --alpha 0.5 --beta 2",
        "no chosen loss (huber) takes --alpha",
        "-> it belongs to d2_pinball, pinball",
        "takes --beta",
        "-> it belongs to smooth_l1",
    ),
    "an option that no usual loss takes": ("p.csv y.csv --alpha 0.5", "no chosen loss (", "takes --alpha"),
    "losses of two tasks": (
        "c.csv l.csv -l log_loss -l huber",
        "huber is a regression loss, and log_loss belongs to binary, multiclass or multilabel",
        "-> choose losses of one task",
    ),
    "a loss of another task": ("p.csv y.csv --task regression -l top_k_error", "is not a regression loss"),
    "losses that need probabilities": (
        "p.csv y.csv -l log_loss --task multiclass",
        "categorical_cross_entropy needs probabilities or scores; pred holds labels",
    ),
    "a regression loss for columns of classes": (
        "c.csv l.csv -p cat,dog -l mse",
        "the columns show a multiclass task; mse belongs to regression",
        "-> choose a multiclass loss, or other columns",
    ),
    "losses in one list": ("p.csv y.csv -l mse,mae", "one loss each: -l mse -l mae"),
    # options
    "unknown option": (
        "p.csv y.csv --dleta 1",
        "No such option: --dleta",
        "--delta",
        "-> losscli evaluate --help",
    ),
    "option without a value": ("p.csv y.csv --delta", "'--delta' requires an argument"),
    "no arguments": ("", "no predictions", "-> name a file, or set predictions in losscli.toml"),
    "a third file": ("p.csv y.csv z.csv", "unexpected extra argument"),
    "words out of a list": (
        "p.csv y.csv --task regresion --missing ignore --unmatched no --device gpu",
        "--task must be regression, binary, multiclass, ",
        "got 'regresion'. Did you mean reg",
        "--missing must be error or drop, got 'ignore'",
        "--unmatched must be error or drop, got 'no'",
        "--device must be cpu, cuda, cuda:N or auto, got 'gpu'",
    ),
    "numbers out of range": (
        "p.csv y.csv --ci 95 --eps 2 --threads 0",
        "--ci must be a number > 0, < 1, or none, got 95",
        "--eps must be a number >= 0, < 0.5, got 2",
        "--threads must be a whole number >= 1, got 0",
    ),
    "a level that is no number": (
        "p.csv y.csv --ci high",
        "--ci must be a number > 0, < 1, or none, got high",
    ),
    "options without meaning in regression": (
        "p.csv y.csv --eps 0 --normalize --ignore-label a --class-weight a=1 --classes a,b --positive a "
        "--from-logits --from-log-probs",
        "--from-logits and --from-log-probs exclude each other",
    ),
    "options without meaning": (
        "p.csv y.csv --eps 0 --normalize --ignore-label a --class-weight a=1 --classes a,b --positive a "
        "--from-logits",
        "--classes names the classes",
        "--positive",
        "--class-weight",
        "--ignore-label",
        "--from-logits is for classification",
        "--eps clips probabilities, but this is a regression task",
        "-> a loss's own is written in line: epsilon_insensitive:eps=0.1",
        "--normalize",
    ),
    "a clip for logits": ("b.csv z.csv --positive yes --from-logits --eps 0", "a binary task of logits"),
    "a weight for no class": (
        "c.csv l.csv --class-weight cta=2,owl=1",
        "no class 'cta'. Did you mean cat?",
        "-> the classes: cat, dog",
        "no class 'owl'",
    ),
    "a weight without a number": (
        "c.csv l.csv --class-weight cat",
        "--class-weight cat: expected class=number",
    ),
    "a negative class weight": (
        "c.csv l.csv --class-weight cat=-1",
        "--class-weight cat must be a number >= 0, got -1",
    ),
    "a class twice": ("c.csv l.csv --classes cat,dog,cat", "--classes names cat twice"),
    "a class without a column": (
        "c.csv l.csv --classes cat,dog,owl",
        "--classes: no column for owl",
        "-> the columns: cat, dog",
    ),
    "which label is positive": (
        "b.csv z.csv",
        "z.csv, column y: the labels are no and yes; which one is positive?",
        "-> --positive yes",
    ),
    "a positive label of labels on both sides": (
        "z.csv z2.csv --positive yes",
        "--positive names one of two labels, but this is a multiclass task of labels",
        "-> --task binary",
    ),
    "a positive label that is none": (
        "b.csv z.csv --positive yess",
        "has the labels no, yes. Did you mean yes?",
    ),
    # outputs
    "unknown format": (
        "p.csv y.csv --format jsn",
        "--format must be table, html, markdown",
        "Did you mean json?",
    ),
    "two formats": ("p.csv y.csv --json --bare", "--json and --bare exclude each other"),
    "three formats": ("p.csv y.csv --format csv --json --bare", "--format csv and --json and --bare exclude"),
    "outputs that cannot be": (
        "p.csv y.csv -o r.json -o r.xlsx -o p.csv/r.json",
        "r.xlsx: unknown suffix .xlsx; it chooses the format",
        "-o p.csv/r.json: p.csv is not a folder",
    ),
    "gates that are not understood": (
        "p.csv y.csv -g 'huber <=' -g 'hubber < 1'",
        "invalid gate: expected a number",
        "huber <=\n          ^",
        "unknown loss 'hubber'",
    ),
    "everything at once": (
        "no.csv y.csv -l hubber --ci 2 -o p.csv/r.json -g huber --format table",
        "p.csv is not a folder",
        "unknown loss 'hubber'",
        "--ci must be",
        "invalid gate",
        "no.csv: no such file",
    ),
    # columns
    "unknown columns": (
        "p.csv y.csv -p prd -y yy -w weight --on idd",
        "p.csv has no column 'idd' (--on). Did you mean id?",
        "y.csv has no column 'idd' (--on)",
        "y.csv has no column 'yy' (-y). Did you mean y?",
        "-> its columns: id, y",
        "p.csv has no column 'prd' (-p). Did you mean pred?",
        "-w: no column 'weight'",
    ),
    "no targets": ("p.csv", "p.csv: no column is left to be the target", "-> give a file of targets too"),
    "one column twice": ("p.csv -p pred -y pred", "column pred cannot be both the prediction and the target"),
}

AMBIGUOUS = {
    "prediction": (
        "id,pred,score\n1,1,1\n",
        "id,y\n1,1\n",
        "p.csv: several columns could be the prediction: pred, score",
    ),
    "target": (
        "id,pred\n1,1\n",
        "id,y,label\n1,1,1\n",
        "t.csv: several columns could be the target: y, label",
    ),
    "key": ("id,key,pred\n1,1,1\n", "id,key,y\n1,1,1\n", "several columns could be the key: id, key"),
    "no known name, prediction": (
        "id,a,b\n1,1,1\n",
        "id,y\n1,1\n",
        "cannot tell the prediction columns among: a, b",
    ),
    "no known name, target": (
        "id,pred\n1,1\n",
        "id,a,b\n1,1,1\n",
        "cannot tell which column is the target among: a, b",
    ),
    # A copy of the target beside the prediction must not be taken for a perfect prediction.
    "a copy of the target": (
        "id,y,value\n1,1,2\n",
        "id,y\n1,1\n",
        "cannot tell the prediction columns among: y, value",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), [(case[0], case[1:]) for case in WRONG.values()], ids=WRONG)
def test_wrong_requests_say_what_and_how_to_mend_it(arguments, said, losscli):
    losscli.write(**FILES)
    losscli.refuses(2, "evaluate", *shlex.split(arguments), said=said)
    assert not list(losscli.folder.glob("r.*"))


@pytest.mark.parametrize(("predictions", "targets", "said"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_ambiguous_columns_list_the_candidates(predictions, targets, said, losscli):
    losscli.write(p=predictions, t=targets)
    losscli.refuses(2, "evaluate", "p.csv", "t.csv", said=(said, "-> "))


def test_a_check_verifies_or_is_public(losscli):
    losscli.write(**FILES)
    argv = ("check", "p.csv", "y.csv", "--verify", "r.json", "--public")
    losscli.refuses(2, *argv, said=("--verify and --public exclude each other",))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("evaluate o.csv -l mae -o o.csv", "o.csv is read too, and would be replaced"),
        ("evaluate p.csv t.csv -l mae -o t.csv", "t.csv is read too"),
        ("evaluate p.csv t.csv -l mae -o link.csv", "link.csv is read too"),
        ("evaluate parts/*.csv -l mae -p pred -y y --rows parts/0.csv", "parts/0.csv is read too"),
        ("evaluate parts -l mae -p pred -y y -o parts/1.csv", "parts/1.csv is read too"),
        ("compare p.csv q.csv -t t.csv -l mae -o q.csv", "q.csv is read too"),
        ("rank p.csv q.csv -t t.csv -l mae -o t.csv", "t.csv is read too"),
        ("rank p.csv q.csv -t t.csv -l mae -o p.csv", "p.csv is read too"),
        ("evaluate o.csv -l mae --rows x.csv -o x.csv", "x.csv is written twice"),
        ("evaluate o.csv -l mae -o x.json -o ./x.json", "x.json is written twice"),
    ],
)
def test_an_output_never_replaces_an_input_or_another(argv, said, losscli):
    table = "id,pred,y\n1,1,2\n2,2,4\n"
    losscli.write(o=table, p="id,pred\n1,1\n2,2\n", q="id,pred\n1,1\n2,3\n", t="id,y\n1,2\n2,4\n")
    (losscli.folder / "parts").mkdir()
    for name in ("0", "1"):
        (losscli.folder / "parts" / f"{name}.csv").write_text(table)
    (losscli.folder / "link.csv").symlink_to(losscli.folder / "t.csv")
    before = {path: path.read_text() for path in losscli.folder.rglob("*.csv")}
    losscli.refuses(2, *argv.split(), said=(said, "name another file"))
    assert before == {path: path.read_text() for path in losscli.folder.rglob("*.csv")}
