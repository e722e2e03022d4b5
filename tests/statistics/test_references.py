"""R's figures on data sets of scikit-survival; benchmarks/references.py says how they were had.

Deaths share their times in three of them, so that ties are counted as R counts them: coefficients,
likelihood, baseline, proportionality, Uno's C, AUC, Brier score, IPA, calibration, Kaplan-Meier.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import references

EXPECTED = json.loads(Path(__file__).with_name("references.json").read_text())
COHORTS = references.cohorts()


@pytest.fixture(scope="module", params=EXPECTED)
def figures(request):
    return references.figures(COHORTS[request.param]), EXPECTED[request.param]


def test_figures_equal_r_s(figures):
    made, expected = figures
    assert made.keys() == expected.keys() and len(expected) == 24
    for name, values in expected.items():
        np.testing.assert_allclose(made[name], values, rtol=1e-8, atol=1e-9, err_msg=name)


def test_data_sets_have_the_ties_that_they_are_to_have():
    deaths = {name: cohort.time[cohort.event == 1] for name, cohort in COHORTS.items()}
    assert {name: (len(d), d.nunique()) for name, d in deaths.items()} == {
        "veterans in months": (128, 18),
        "breast cancer in years": (299, 7),
        "heart attacks in months": (215, 47),
        "veterans without ties": (128, 128),
    }
