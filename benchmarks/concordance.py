"""Time of the C-index and its bootstrap, compared with scikit-survival.

    python benchmarks/concordance.py

The bootstrap of scikit-survival resamples rows: its time is that of one C times the draws.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from sksurv.metrics import concordance_index_censored

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.statistics.concordance import concordance
from facies.statistics.outcome import Outcome


def cohort(n: int) -> tuple[Outcome, np.ndarray]:
    """Times in whole months, a third of the patients censored, risks that carry information."""
    rng = np.random.default_rng(n)
    risk = rng.normal(size=n).round(3)
    death, limit = rng.exponential(30 * np.exp(-risk)), rng.exponential(60, n)
    return Outcome(np.ceil(np.minimum(death, limit)), death <= limit), risk


def seconds(function, repeats=3):
    """CPU time of the fastest of ``repeats`` calls, and what the last one returned."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return min(times), result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 10_000, 50_000])
    parser.add_argument("--draws", type=int, default=1000)
    given = parser.parse_args()
    first, _ = seconds(lambda: concordance(*cohort(10)), 1)
    print(f"CPU seconds; first call, with compilation or its cache: {first:.2f}")
    print("| n | scikit-survival | Facies | ratio | bootstrap | scikit-survival's | ratio |")
    print("|---|---|---|---|---|---|---|")
    for n in given.sizes:
        outcome, risk = cohort(n)
        theirs, expected = seconds(
            lambda o=outcome, r=risk: concordance_index_censored(o.event, o.time, r)[0], 1
        )
        ours, computed = seconds(lambda o=outcome, r=risk: concordance(o, r)[0])
        assert abs(computed - expected) < 1e-12, (computed, expected)
        weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), given.draws)
        many, _ = seconds(lambda o=outcome, r=risk, w=weights: concordance(o, r, w), 1)
        whole = theirs * given.draws
        print(
            f"| {n} | {theirs:.3f} | {ours:.4f} | {theirs / ours:.0f} "
            f"| {many:.2f} | {whole:.0f} | {whole / many:.0f} |"
        )


if __name__ == "__main__":
    main()
