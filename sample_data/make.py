"""Make the sample files: out-of-fold predictions of real models on data sets that scikit-learn ships.

Only the deliveries are simulated: their model was fitted before the time at which a street was closed.

Run `python sample_data/make.py`. It rewrites the files in its folder, reads them back, and prints the scores
that README.md quotes, as scikit-learn computes them. Nothing is downloaded. Needs polars and scikit-learn.
"""

from pathlib import Path

import numpy as np
import polars as pl
from sklearn import metrics
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
SEED = 0
FOLDS = 5
TREES = 125  # so that a vote has three decimals, and two classes cannot tie
DIGITS = [f"prob_{digit}" for digit in range(10)]


def out_of_fold(model: BaseEstimator, x: np.ndarray, y: np.ndarray, method: str = "predict") -> np.ndarray:
    """Predict each row by a model that never saw it, in the same five shuffled folds for every model."""
    folds = KFold if method == "predict" else StratifiedKFold
    return cross_val_predict(model, x, y, cv=folds(FOLDS, shuffle=True, random_state=SEED), method=method)


def text_ids(prefix: str, rows: int) -> list[str]:
    """Make ids that count from one: p001, p002, ..."""
    return [f"{prefix}{row:03d}" for row in range(1, rows + 1)]


def write(frame: pl.DataFrame, path: str) -> None:
    """Write a frame under this folder, in the format that the suffix names."""
    target = HERE / path
    target.parent.mkdir(exist_ok=True)
    if target.suffix == ".csv":
        frame.write_csv(target)
    else:
        frame.write_parquet(target, compression="zstd", compression_level=19)


def diabetes() -> None:
    """Regression: disease progression after one year (25 to 346), rounded to three decimals."""
    x, y = load_diabetes(return_X_y=True, scaled=False)
    models = {
        "ridge": make_pipeline(StandardScaler(), Ridge(alpha=10.0)),
        "forest": RandomForestRegressor(TREES, min_samples_leaf=5, random_state=SEED),
    }
    ids = text_ids("p", len(y))
    for name, model in models.items():
        prediction = out_of_fold(model, x, y).round(3)
        write(pl.DataFrame({"id": ids, "prediction": prediction}), f"diabetes/{name}.csv")
    age, sex = x[:, 0], x[:, 1].astype(int)
    bands = np.array(["19-34", "35-49", "50-64", "65-79"])[np.searchsorted([35, 50, 65], age, side="right")]
    write(pl.DataFrame({"id": ids, "target": y, "sex": sex, "age_group": bands}), "diabetes/targets.csv")


def breast_cancer() -> None:
    """Binary: the probability that a mass is malignant, and the logistic model's logit of it."""
    data = load_breast_cancer()
    x, y = data.data, 1 - data.target  # scikit-learn codes malignant as 0
    logistic = make_pipeline(StandardScaler(), LogisticRegression())
    forest = RandomForestClassifier(TREES, random_state=SEED)
    ids = text_ids("b", len(y))
    logit = out_of_fold(logistic, x, y, "decision_function").round(6)
    write(pl.DataFrame({"id": ids, "logit": logit}), "breast_cancer/logistic_logits.csv")
    for name, model in {"logistic": logistic, "forest": forest}.items():
        prob = out_of_fold(model, x, y, "predict_proba")[:, 1].round(9)
        write(pl.DataFrame({"id": ids, "prob": prob}), f"breast_cancer/{name}.csv")
    label = np.where(y == 1, "malignant", "benign")
    size = np.where(x[:, 0] > np.median(x[:, 0]), "large", "small")
    write(pl.DataFrame({"id": ids, "label": label, "size": size}), "breast_cancer/targets.csv")


def digits() -> None:
    """Multiclass: ten probabilities a row; the forest's rows are shuffled, so only the id aligns them."""
    x, y = load_digits(return_X_y=True)
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        "forest": RandomForestClassifier(TREES, random_state=SEED),
    }
    rows = np.arange(len(y))
    order = {"logistic": rows, "forest": np.random.default_rng(SEED).permutation(rows)}
    for name, model in models.items():
        prob = out_of_fold(model, x, y, "predict_proba").round(9)
        frame = pl.DataFrame(prob, schema=DIGITS).insert_column(0, pl.Series("id", rows))
        write(frame[order[name]], f"digits/{name}.parquet")
    half = np.where(rows < len(y) / 2, "first", "second")
    write(pl.DataFrame({"id": rows, "label": y, "half": half}), "digits/targets.parquet")


def deliveries() -> None:
    """Regression: simulated minutes to deliver a parcel; from April on bikes have a detour at the harbour."""
    rng = np.random.default_rng(SEED)
    history, now = _delivered(rng, 2_000, closed=False), _delivered(rng, 1_000, closed=True)
    model = LinearRegression().fit(_features(history), history["target"].to_numpy())
    prediction = model.predict(_features(now)).round(1)
    columns = ["id", "prediction", "target", "day", "city", "vehicle", "km"]
    write(now.with_columns(prediction=prediction).select(columns), "deliveries/model.csv")


def _delivered(rng: np.random.Generator, rows: int, closed: bool) -> pl.DataFrame:
    day = np.datetime64("2024-01-01") + np.sort(rng.integers(0, 182, rows))
    city, vehicle = (
        rng.choice(["centre", "harbour", "north", "west"], rows),
        rng.choice(["bike", "van"], rows),
    )
    km = rng.lognormal(1.0, 0.5, rows).round(1)
    detour = closed & (day >= np.datetime64("2024-04-01")) & (city == "harbour") & (vehicle == "bike")
    minutes = 6 + np.where(vehicle == "bike", 4.0, 2.5) * km + 3 * (city == "north") + 9 * detour
    target = (minutes * rng.lognormal(0.0, 0.15, rows)).round(1)
    ids = text_ids("d", rows)
    return pl.DataFrame({"id": ids, "day": day, "city": city, "vehicle": vehicle, "km": km, "target": target})


def _features(frame: pl.DataFrame) -> np.ndarray:
    km, bike = frame["km"].to_numpy(), (frame["vehicle"] == "bike").to_numpy()
    return np.column_stack([km, bike, km * bike, (frame["city"] == "north").to_numpy()])


def joined(predictions: str, targets: str) -> pl.DataFrame:
    """Read a predictions file and its targets back, and join them by id."""
    scan = pl.scan_csv if targets.endswith(".csv") else pl.scan_parquet
    return (
        scan(HERE / predictions)
        .join(scan(HERE / targets), on="id", validate="1:1", maintain_order="left")
        .collect()
    )


def scores(path: str) -> dict[str, float]:
    """Score a predictions file by scikit-learn; the Brier score of ten classes is its sum over classes."""
    folder, _, file = path.partition("/")
    if folder == "deliveries":
        frame = pl.read_csv(HERE / path)
    else:
        frame = joined(path, f"{folder}/targets{Path(file).suffix}")
    if folder in ("diabetes", "deliveries"):
        y, prediction = frame["target"].to_numpy(), frame["prediction"].to_numpy()
        return {
            "MSE": metrics.mean_squared_error(y, prediction),
            "RMSE": metrics.root_mean_squared_error(y, prediction),
            "MAE": metrics.mean_absolute_error(y, prediction),
            "R2": metrics.r2_score(y, prediction),
        }
    if folder == "digits":
        y, prob = frame["label"].to_numpy(), frame.select(DIGITS).to_numpy()
        hit = prob.argmax(axis=1) == y
    else:
        y = (frame["label"] == "malignant").to_numpy()
        logit = frame["logit"].to_numpy() if "logit" in frame.columns else None
        prob = frame["prob"].to_numpy() if logit is None else 1 / (1 + np.exp(-logit))
        hit = (prob > 0.5) == y
    return {
        "log loss": metrics.log_loss(y, prob),
        "Brier": metrics.brier_score_loss(y, prob),
        "accuracy": hit.mean(),
    }


def main() -> None:
    """Write every file, then print what is in them."""
    diabetes()
    breast_cancer()
    digits()
    deliveries()
    for path in sorted(HERE.glob("*/*")):
        if path.stem != "targets":
            name = path.relative_to(HERE).as_posix()
            print(f"{name:34}", *(f"{key} {value:.10g}" for key, value in scores(name).items()), sep="  ")


if __name__ == "__main__":
    main()
