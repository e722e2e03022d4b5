"""Ridge Cox regression that stays exact when there are more columns than patients.

The estimator minimises ``-l(beta) + penalty / 2 * |beta|^2`` with Efron's partial likelihood l: of
m deaths at one time the first meets the whole risk set, and every further one a set from which
another mth part of these deaths' weight is gone. Without ties it is Breslow's, and Cox's own.
A rotation of the columns onto the (at most n) principal axes of the training patients leaves the
minimum where it is, because the optimal beta lies in the span of the rows; Newton's equations are
solved by conjugate gradients, so that no Hessian is ever formed and a fit costs O(n r) per step.

References
----------
Efron, "The efficiency of Cox's likelihood function for censored data", JASA 72 (1977) 557-65.
Breslow, "Covariance analysis of censored survival data", Biometrics 30 (1974) 89-99.
Therneau and Grambsch, "Modeling Survival Data", Springer 2000, section 3.3: ties, and the baseline.
Verweij and van Houwelingen, "Cross-validation in survival analysis", Stat Med 12 (1993) 2305-14.
van Houwelingen et al., "Cross-validated Cox regression on microarray gene expression data",
Stat Med 25 (2006) 3201-16: the rotation.
"""

from dataclasses import dataclass

import numpy as np

PERFECT_ORDER = 50.0  # range of log-risks; exp(50) to 1 is no hazard ratio


def log_likelihood(risk, outcome):
    """Efron's log partial likelihood of log-risks (..., n): one value per leading index."""
    risk = np.asarray(risk, float)[..., outcome.order]
    log_sums = np.logaddexp.accumulate(risk, axis=-1)[..., outcome.risk_set_end]
    ties = outcome.ties
    if len(ties.position):
        dying = np.logaddexp.reduceat(risk[..., ties.position], ties.first, axis=-1)[
            ..., ties.group
        ]
        gone = ties.share * np.exp(dying - log_sums[..., ties.position])
        log_sums[..., ties.position] += np.log1p(-gone)
    return ((risk - log_sums) * outcome.event[outcome.order]).sum(-1)


def fit_ridge(x, outcome, penalty, start=None, tolerance=1e-10, max_steps=100):
    """Coefficients (p,) of the ridge Cox model of centred or raw columns ``x`` (n, p).

    ``penalty`` is one number or one per column. Newton's method with a line search; stops when
    the Newton decrement falls under ``tolerance``. Raises ArithmeticError when it never does.
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # the line search sees NaN
        return _minimum(x, outcome, penalty, start, tolerance, max_steps)


def _minimum(x, outcome, penalty, start, tolerance, max_steps):
    x = np.asarray(x, float)[outcome.order]
    ordered = outcome[outcome.order]
    penalty = np.broadcast_to(np.asarray(penalty, float), x.shape[1:])
    beta = np.zeros(x.shape[1]) if start is None else np.array(start, float)
    value, terms = _objective(x, ordered, penalty, beta)
    for _ in range(max_steps):
        gradient = penalty * beta - x.T @ (ordered.event - terms.expected)
        step = _newton_step(x, ordered, penalty, terms, gradient)
        decrement = -gradient @ step
        if decrement <= tolerance**2:
            return beta + step
        beta, value, terms = _line_search(x, ordered, penalty, beta, step, value, decrement)
    raise ArithmeticError(f"the Cox model did not converge in {max_steps} Newton steps")


def ridge_path(x, outcome, penalties, tolerance=1e-6):
    """Coefficients (len(penalties), p), each fit started from its neighbour's answer.

    The path of falling penalties ends, and repeats its last answer, once the training
    patients are as good as perfectly ordered: the likelihood cannot choose between smaller ones.
    """
    fits, start = [], None
    for penalty in penalties:
        if start is None or np.ptp(x @ start) < PERFECT_ORDER:
            start = fit_ridge(x, outcome, penalty, start, tolerance)
        fits.append(start)
    return np.array(fits)


def baseline_hazard(risk, outcome):
    """Efron's cumulative baseline hazard: event times (k,) rising and its value there (k,)."""
    died = outcome.event[outcome.order]
    hazards = 1 / outcome.risk_sums(np.exp(risk)[outcome.order])[died][::-1]
    times, deaths = np.unique(outcome.time[outcome.event], return_counts=True)
    return times, np.cumsum(hazards)[np.cumsum(deaths) - 1]


def survival_function(risk_train, outcome, risk, times):
    """Survival (len(risk), len(times)) of patients with log-risks ``risk`` under the baseline
    hazard that log-risks ``risk_train`` of the training patients give."""
    risk_train, risk = (np.clip(r, -PERFECT_ORDER, PERFECT_ORDER) for r in (risk_train, risk))
    event_times, hazard = baseline_hazard(risk_train, outcome)
    steps = np.concatenate([[0.0], hazard])[np.searchsorted(event_times, times, side="right")]
    return np.exp(-np.exp(risk)[:, None] * steps)


@dataclass(frozen=True)
class _Terms:
    """What gradient and curvature need at one beta, patients by falling time."""

    weight: np.ndarray  # exp(risk), up to one common factor
    expected: np.ndarray  # weight x cumulative hazard: expected deaths
    inverse_sum: np.ndarray  # event / sum of the weights at risk


def _objective(x, ordered, penalty, beta):
    """Penalised negative log-likelihood and the terms of its derivatives."""
    risk = x @ beta
    weight = np.exp(risk - risk.max())
    total = ordered.risk_sums(weight)
    value = (np.log(total) + risk.max() - risk) @ ordered.event + penalty @ beta**2 / 2
    inverse_sum = ordered.event / total
    hazard = ordered.sums_while_at_risk(inverse_sum)
    return value, _Terms(weight, weight * hazard, inverse_sum)


def _newton_step(x, ordered, penalty, terms, gradient):
    """Solve Hessian * step = -gradient by preconditioned conjugate gradients."""
    weight, squares = terms.weight, terms.inverse_sum**2

    def curvature(v):
        pulled = ordered.sums_while_at_risk(squares * ordered.risk_sums(weight * v))
        return terms.expected * v - weight * pulled

    squared = weight**2 * ordered.sums_while_at_risk(squares, power=2)
    diagonal = (x**2).T @ (terms.expected - squared) + penalty
    diagonal[diagonal <= 0] = 1.0  # a column of zeros without penalty moves nowhere
    step, residual = np.zeros_like(gradient), -gradient
    scaled = residual / diagonal
    direction, size = scaled, residual @ scaled
    # Solving more sharply near the optimum keeps Newton's quadratic convergence.
    goal = size * min(0.01, size)
    for _ in range(2 * len(gradient) + 10):
        if size <= goal or size == 0:
            break
        product = x.T @ curvature(x @ direction) + penalty * direction
        length = size / (direction @ product)
        step = step + length * direction
        residual = residual - length * product
        scaled = residual / diagonal
        size, previous = residual @ scaled, size
        direction = scaled + size / previous * direction
    return step


def _line_search(x, ordered, penalty, beta, step, value, decrement):
    """Halve the step until the objective falls enough (Armijo)."""
    length = 1.0
    while True:
        new_value, terms = _objective(x, ordered, penalty, beta + length * step)
        # Rounding hides the last gains: near the optimum a full step is always right.
        enough = new_value <= value - 1e-4 * length * decrement
        if np.isfinite(new_value) and (enough or decrement < 1e-9 * (1 + abs(value))):
            return beta + length * step, new_value, terms
        length /= 2
        if length < 1e-10:
            raise ArithmeticError("the Cox model's likelihood cannot be raised any further")
