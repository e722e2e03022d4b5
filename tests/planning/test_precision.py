from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import plan_study
from facies.planning import costs, precision
from facies.statistics.concordance import concordance


def test_criteria_of_the_published_example():
    """Riley et al., section 5: recurrence of thrombosis, R^2_CS .051, 30 parameters, .065 events a
    year over 2.07 years: 5143 patients; largest R^2_CS .555 and a shrinkage of .648."""
    assert precision.most_parameters(5143, 0.051) == pytest.approx(30, abs=0.005)
    assert precision.expected_shrinkage(5143, 30, 0.051) == pytest.approx(0.9, abs=1e-4)
    largest = precision.largest_cox_snell(10_000, 1346)
    assert largest == pytest.approx(0.555, abs=5e-4)
    assert precision.least_shrinkage(0.051, largest) == pytest.approx(0.648, abs=5e-4)


@pytest.mark.parametrize(
    ("r2", "parameters", "rate", "first", "second"),
    [
        (0.051, 25, 0.065, 4286, 866),
        (0.065, 25, 0.065, 3335, 859),
        (0.051, 50, 0.065, 8572, 1731),
        (0.051, 25, 0.1, 4286, 731),
    ],
)
def test_criteria_equal_the_authors_own_program(r2, parameters, rate, first, second):
    """The R package pmsampsize's expected patients by criteria 1 and 2, mean follow-up 2.07 years:
    the least numbers that carry the parameters."""
    events = int(np.ceil(rate * 2.07 * 10_000))
    needed = precision.least_shrinkage(r2, precision.largest_cox_snell(10_000, events))
    for patients, shrinkage in ((first, 0.9), (second, needed)):
        assert precision.most_parameters(patients, r2, shrinkage) >= parameters
        assert precision.most_parameters(patients - 1, r2, shrinkage) < parameters


def test_shrinkage_at_its_ends():
    assert precision.expected_shrinkage(100, 0, 0.2) == 1
    few = precision.expected_shrinkage(100, 5, 0.2)
    many = precision.expected_shrinkage(100, 12, 0.2)
    assert 0 < many < few < 1
    assert precision.most_parameters(100, 0.2, few) == pytest.approx(5)


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_spread_gives_the_c_index_of_simulated_patients(share):
    rng = np.random.default_rng(0)
    for c in (0.6, 0.8):
        risk = rng.normal(0, precision.log_hazard_sd(c, share), 40_000)
        death, limit = rng.exponential(np.exp(-risk)), rng.exponential(size=40_000)
        stretched = limit * precision._stretch(death / limit, round(share * 40_000))
        o = precision._censored(death, stretched if share < 1 else np.inf)
        assert concordance(o, risk)[0] == pytest.approx(c, abs=0.012)


@pytest.mark.parametrize("c", [0.6, 0.7, 0.8])
def test_spread_where_few_die_is_that_of_two_normal_groups(c):
    # The log hazards of the dead and of the living are spread apart by the square of their SD.
    found = precision.log_hazard_sd(c, 0.001)
    assert found == pytest.approx(np.sqrt(2) * norm.ppf(c), rel=0.015)
    # Jinks et al. 2015, from published studies, as Riley et al. take it: D = sqrt(8 / pi) spread.
    jinks = 5.5 * (c - 0.5) + 10.26 * (c - 0.5) ** 3
    assert found == pytest.approx(np.sqrt(np.pi / 8) * jinks, rel=0.03)
    assert precision.log_hazard_sd(c, 1.0) > 1.03 * found


def test_likelihood_ratio_of_a_weak_model_is_events_times_its_variance():
    spread, events, patients = precision.log_hazard_sd(0.51, 0.3), 300, 1000
    ratio = -patients * np.log1p(-precision.cox_snell(0.51, patients, events))
    assert ratio == pytest.approx(events * spread**2, rel=0.01)


def test_width_falls_with_the_root_of_the_patients_and_with_repeats():
    small, large = (precision.interval_width(0.7, n, n // 2, 5, 1, 0) for n in (200, 800))
    assert small / large == pytest.approx(2, rel=0.1)
    # Repeats hold no new patients: they only spare that s is not well known from five folds.
    assert 0.7 < precision.interval_width(0.7, 200, 100, 5, 5, 0, 40) / small < 0.9
    # Of few deaths no interval passes 1.
    assert precision.interval_width(0.8, 60, 10, 5, 1, 0, 40) < 1
    # Few events, as many patients: as little is known.
    assert precision.interval_width(0.7, 800, 100, 5, 1, 0) == pytest.approx(small, rel=0.15)


def test_censoring_leaves_the_events_asked_for():
    death, limit = np.array([1.0, 4, 9]), np.array([2.0, 2, 3])
    # The deaths come at .5, 2 and 3 times the limits.
    for events in (1, 2, 3):
        stretched = limit * precision._stretch(death / limit, events)
        assert precision._censored(death, stretched).event.sum() == events


def test_margin_of_the_overall_risk_by_hand():
    # Rate .1 a month, standard error .01: between 1 - e^-.804 and 1 - e^-1.196 after ten.
    found = precision.risk_margin(100, 1000.0, 10.0)
    assert found == pytest.approx((np.exp(-0.804) - np.exp(-1.196)) / 2)


CONFIG = {
    "seed": 1,
    "resolution": 64,
    "controls": [],
    "reliance": {"cover": [], "swap": False},
    "cohort": {"clinical": ["age", "stage"], "time_unit": "months"},
    "generator": {"kimg": 4, "batch": 16, "per_fold": False, "pretrained": "net"},
    "projection": {"steps": 30, "batch": 32},
    "survival": {
        "folds": 5,
        "repeats": 1,
        "features": ["face", "clinical"],
        "models": ["coxph"],
        "permutations": 20,
    },
}


def test_operations_counted_by_hand():
    # Two convolutions at 4 and at 8 pixels, 64 channels: 2 x 2 x 9 x 64^2 x (16 + 64).
    assert costs.generator_operations(8, small=True) == 36 * 4096 * 80
    assert costs.generator_operations(16, small=False) == 36 * 512**2 * (16 + 64 + 256)


def test_costs_follow_the_published_training_times():
    """1000 kimg on a V100: 6.6 hours at 256 pixels, 21 at 512, 44 at 1024."""
    for resolution, hours in ((256, 6.6), (512, 21), (1024, 44)):
        config = CONFIG | {"resolution": resolution}
        config["generator"] = {"kimg": 1000, "batch": 32, "per_fold": False}
        rows = {row["step"]: row for row in costs.estimate(100, 100, 300_000_000, config)}
        assert 0.6 < rows["training"]["gpu_hours"] / hours < 1.5


def test_costs_grow_with_the_work():
    def of(photos=1000, patients=1000, **survival):
        config = CONFIG | {"survival": CONFIG["survival"] | survival}
        rows = costs.estimate(photos, patients, 2_000_000, config)
        return {row["step"]: row["core_hours"] for row in rows}

    assert of(2000)["projection"] == pytest.approx(2 * of()["projection"])
    assert of(2000)["training"] == of()["training"]
    assert of(patients=2000)["survival models"] == pytest.approx(4 * of()["survival models"])
    assert of(models=["forest"])["survival models"] > 10 * of()["survival models"]


def per_fold(config):
    return config | {"generator": config["generator"] | {"per_fold": True}}


def test_a_generator_per_fold_is_reckoned_with():
    once, both = (
        {row["step"]: row["core_hours"] for row in costs.estimate(100, 100, 2_000_000, config)}
        for config in (CONFIG, per_fold(CONFIG))
    )
    assert both["training"] == pytest.approx(6 * once["training"])
    assert both["projection"] == pytest.approx(6 * once["projection"])


def test_projected_pictures_by_hand():
    config = CONFIG | {"controls": ["face", "background"]}
    leaky = per_fold(config)
    assert costs.projected(100, config) == 300
    assert costs.projected(100, leaky) == 800  # whole photos alone by the generators of five folds
    every = {"cover": ["face", "surround", "body", "background"], "swap": False}
    assert costs.projected(100, leaky | {"reliance": every}) == 2000
    # Four blocks of three patients in each of five folds, each before three backgrounds.
    assert costs.projected(100, config | {"reliance": {"cover": [], "swap": True}}) == 480
    assert costs.projected(10, config | {"reliance": {"cover": [], "swap": True}}) == 60


def test_script_writes_the_plan_for_readers_and_for_programs(tmp_path):
    rng = np.random.default_rng(0)
    ids = [f"{i:03d}" for i in range(200)]
    patients = pd.DataFrame({"patient_id": ids, "time": rng.exponential(20, 200), "event": 1})
    patients["age"], patients["stage"] = rng.integers(40, 80, 200), rng.choice(["I", "II"], 200)
    patients.to_csv(tmp_path / "patients.csv", index=False)
    photos = pd.DataFrame({"photo_id": ids, "patient_id": ids, "path": ids})
    photos.to_csv(tmp_path / "photos.csv", index=False)
    (tmp_path / "net").write_bytes(b"x" * 100)
    config = CONFIG | {"generator": CONFIG["generator"] | {"pretrained": tmp_path / "net"}}
    job = SimpleNamespace(
        input=SimpleNamespace(patients=tmp_path / "patients.csv", photos=tmp_path / "photos.csv"),
        output=SimpleNamespace(plan=tmp_path / "plan.json", text=tmp_path / "plan.md"),
        params=SimpleNamespace(config=config),
    )
    plan_study.main(job)
    text = (tmp_path / "plan.md").read_text()
    assert "200 patients, 200 events" in text and "(2 parameters)" in text
    plan = pd.read_json(tmp_path / "plan.json", typ="series")
    assert [row["c_index"] for row in plan.rows] == pytest.approx([0.6, 0.7, 0.8])
    widths = [row["width"] for row in plan.rows]
    assert min(widths) > 0.05 and max(widths) < 0.3
    assert plan.rows[0]["most_parameters"] < plan.rows[2]["most_parameters"]
