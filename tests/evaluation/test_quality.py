import numpy as np
import pandas as pd
import pytest
from fits import fold_fit

from facies.evaluation.quality import c_by_threshold
from facies.statistics.bootstrap import Draws
from facies.statistics.outcome import Outcome


def fold(ids, time, risk):
    outcome = Outcome(np.array(time, float), np.ones(len(ids), bool))
    return fold_fit(test_ids=np.array(ids), test=outcome, test_risk=np.array(risk, float))


def test_c_moves_with_the_gate_by_hand():
    """Badly rebuilt patients have their risks upside down, the others are in order."""
    fits = [
        fold(["a", "b", "c", "d"], [1, 2, 3, 4], [4, 3, 1, 2]),
        fold(["e", "f", "g", "h"], [1, 2, 3, 4], [3, 4, 2, 1]),
    ]
    quality = pd.Series(dict(zip("abcdefgh", [9, 9, 1, 2, 1, 2, 9, 9.0], strict=True)))
    draws = Draws(pd.Index(list("abcdefgh")), np.ones((3, 8)))
    rows = {row["share"]: row for row in c_by_threshold(fits, draws, quality)}
    assert [rows[share]["patients"] for share in (1.0, 0.75, 0.5)] == [8, 6, 4]
    # Five of six pairs in each fold; then four of a, b, d in order, and so on; then all.
    assert rows[1.0]["c_index"]["value"] == pytest.approx(5 / 6)
    assert rows[0.75]["c_index"]["value"] == pytest.approx(1.0)
    assert rows[0.5]["c_index"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert rows[0.5]["threshold"] == pytest.approx(np.quantile(quality, 0.5))
