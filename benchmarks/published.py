"""The models on data sets with published C-indices.

    python benchmarks/published.py FOLDER --sets metabric gbsg whas

Four data sets of Katzman et al. with their own training and test patients. FOLDER has the files
``*_train_test.h5`` from ``experiments/data`` of the authors' repository. Every model is tuned in
five inner folds of the training patients, as in the workflow, and tested once; columns are treated
as clinical ones. Printed is a row per model: C with its 95 % bootstrap interval over test patients,
the published C if any, seconds, and the chosen settings.

Results on WHAS do not count: most of its test patients are also training patients, so memorisation
is rewarded.

References
----------
Katzman et al., "DeepSurv", BMC Med Res Methodol 18 (2018) 24, table 1: C of the test patients.
"""

import argparse
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.statistics.bootstrap import draw_patients, interval
from facies.statistics.concordance import concordance
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.designs import ClinicalDesign
from facies.survival.models import MODELS

INNER = 5
FILES = {
    "metabric": "metabric_IHC4_clinical_train_test.h5",
    "gbsg": "gbsg_cancer_train_test.h5",
    "whas": "whas_train_test.h5",
    "support": "support_train_test.h5",
}
PUBLISHED = {
    "metabric": {"coxph": 0.631, "deepsurv": 0.643, "forest": 0.624},
    "gbsg": {"coxph": 0.658, "deepsurv": 0.668, "forest": 0.651},
    "whas": {"coxph": 0.818, "deepsurv": 0.863, "forest": 0.894},
    "support": {"coxph": 0.583, "deepsurv": 0.618, "forest": 0.613},
}


def read(path: Path) -> tuple[ClinicalDesign, Outcome, np.ndarray, np.ndarray]:
    """Columns and outcome of everybody, and the rows of the training and of the test patients."""
    with h5py.File(path) as file:
        parts = [{name: file[part][name][:] for name in "xte"} for part in ("train", "test")]
    x, followed, event = (np.concatenate([part[name] for part in parts]) for name in "xte")
    rows = np.arange(len(x))
    train = len(parts[0]["x"])
    columns = pd.DataFrame(x.astype(float), columns=[f"x{i}" for i in range(x.shape[1])])
    outcome = Outcome(followed.astype(float), event.astype(bool))
    return ClinicalDesign(columns), outcome, rows[:train], rows[train:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="*", default=list(FILES), choices=list(FILES))
    tabular = [name for name in MODELS if name not in ("cnn", "kaplanmeier")]
    parser.add_argument("--models", nargs="*", default=tabular, choices=tabular)
    given = parser.parse_args()
    for name in given.sets:
        design, outcome, train, test = read(given.folder / FILES[name])
        folds = crossval.prepare(design, outcome, train, test, INNER, 1)
        draws = draw_patients(test, np.zeros(len(test)), 1)
        rows = design.frame.assign(time=outcome.time, event=outcome.event)
        twins = rows.iloc[test].merge(rows.iloc[train].drop_duplicates()).shape[0]
        print(f"\n{name}: {len(train)} training and {len(test)} test patients, {twins} in both")
        print(f"| {'model':<14} | C (95 %)            | published | seconds | chosen |", flush=True)
        for model in given.models:
            start = time.perf_counter()
            fit = crossval.fit(design, folds, outcome, MODELS[model], 1)
            spent = time.perf_counter() - start
            c_index = concordance(outcome[test], fit.test_risk)[0]
            drawn = interval(concordance(outcome[test], fit.test_risk, draws.of(test)))
            published = PUBLISHED[name].get(model, "")
            print(
                f"| {model:<14} | {c_index:.3f} ({drawn['low']:.3f} to {drawn['high']:.3f}) "
                f"| {published!s:<9} | {spent:7.0f} | {fit.chosen} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
