"""Reports of the local engine and of Spark, and whether they are the same."""

import pytest

import losscli

MASTER = "local[2]"
SAME, ENDS = 1e-14, 1e-12
"""How far standard errors may be apart, and what follows from them: other blocks are rounded elsewhere."""
EXACT = ("value", "difference", "weight", "share", "value_a", "value_b", "percent", "contribution", "level")
LOSSES = ["huber", "rmse", "r2", "explained_variance", "expr: abs(e)**1.5"]
CASES = {
    "everything": {
        "pred": "y_pred", "target": "y_true", "loss": LOSSES, "weight": "w", "cluster": "user",
        "by": ["shop", "region", "w:4"],
    },
    "classes": {
        "pred": "y_pred_cat,y_pred_dog,y_pred_owl", "target": "label", "classes": "cat,dog,owl",
        "loss": ["log_loss", "brier", "f1"], "where": "region <> 'a.b' AND w > 0.7",
    },
    "order": {
        "pred": "y_pred", "target": "y_true", "loss": ["median_absolute_error", "huber@p95"], "by": "region",
    },
    "bootstrap": {
        "pred": "y_pred", "target": "y_true", "loss": ["mae", "r2"], "ci_method": "bootstrap",
    },
    "groups": {"pred": "y_pred", "target": "relevance", "group": "user", "loss": ["ndcg", "mrr"]},
}  # fmt: skip
PLAIN = {"pred": "y_pred", "target": "y_true", "loss": "mae"}


def same(local, spark):
    """Whether two reports have the same values, to the bit, and the same errors but for rounding."""
    for ours, theirs in ((local.results, spark.results), (local.comparisons, spark.comparisons)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            for name in a.__struct_fields__:
                x, y = getattr(a, name), getattr(b, name)
                if isinstance(x, float) and name not in EXACT:
                    near = SAME if name.startswith("se") else ENDS
                    assert y == pytest.approx(x, rel=near, abs=0.0), (name, a, b)
                else:
                    assert x == y, (name, a, b)
    assert local.findings == spark.findings
    assert local.provenance == spark.provenance
    assert local.signature == spark.signature


def both(*sources, compare=False, **options):
    """The report of the local engine and that of Spark."""
    function = losscli.compare if compare else losscli.evaluate
    sources = [str(source) for source in sources]
    return function(*sources, **options), function(*sources, **options, engine=f"spark:{MASTER}")
