import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from names import Names
from scipy.stats import chi2

import evaluate
import fit_model
import permute_outcomes
import split_patients
from facies.evaluation.risk_groups import patient_risks, risk_groups
from facies.evaluation.scores import fold_scores, score_row
from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival.fits import FoldFit

N, FOLDS = 120, 4
SETTINGS = {
    "seed": 1,
    "folds": FOLDS,
    "repeats": 1,
    "inner_folds": 4,
    "permutations": 4,
    "clinical": ["age", "stage"],
    "photos": "mean_code",
    "fusion": "stack",
    "horizons": [],
    "model": "coxph",
}


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    """The files before this part of the road, with a planted hazard; then the part itself."""
    root = tmp_path_factory.mktemp("road")
    rng = np.random.default_rng(0)
    patient = np.array([f"{i:04d}" for i in range(N)])
    traits = rng.normal(size=(N, 6))
    age, stage = rng.normal(65, 10, N), rng.choice(["I", "II"], N)
    face = 1.2 * traits[:, 0]
    hazard = face + 0.08 * (age - 65) + (stage == "II")
    time, limit = rng.exponential(20, N) * np.exp(-hazard), rng.exponential(40, N)
    pd.DataFrame(
        {
            "patient_id": patient,
            "time": np.minimum(time, limit).round(2),
            "event": (time <= limit).astype(int),
            "age": np.where(rng.random(N) < 0.1, np.nan, age.round(1)),
            "stage": stage,
        }
    ).to_csv(root / "patients.csv", index=False)
    owner = np.concatenate([np.arange(N), np.arange(30)])
    photo = np.array([f"x{i:03d}" for i in range(len(owner))])
    pd.DataFrame({"photo_id": photo, "patient_id": patient[owner], "path": photo}).to_csv(
        root / "photos.csv", index=False
    )
    # The photo of the last patient shows no face.
    used = photo != photo[N - 1]
    pd.DataFrame(
        {"photo_id": photo, "used": used.astype(int), "reason": np.where(used, "", "no face found")}
    ).to_csv(root / "full.csv", index=False)
    # The first tenth of the photos is rebuilt badly.
    psnr = np.where(np.arange(used.sum()) < used.sum() // 10, 10.0, 20.0)
    gate = pd.DataFrame({"photo_id": photo[used], "used": 1, "reason": "", "psnr_face": psnr})
    gate.to_csv(root / "gate.csv", index=False)

    def seen(columns, noise):
        values = traits[owner] @ rng.normal(size=(6, columns))
        return values + noise * rng.normal(size=values.shape)

    codes = seen(160, 1.0).reshape(-1, 10, 16).astype(np.float32)
    pixels = (128 + 12 * seen(16 * 16 * 3, 2.0)).clip(0, 255).astype(np.uint8)
    np.savez(root / "codes.npz", photo_ids=photo[used], codes=codes[used])
    np.savez(root / "images.npz", photo_ids=photo[used], images=pixels.reshape(-1, 16, 16, 3)[used])
    pd.DataFrame({"patient_id": patient, "log_hazard_face": face, "log_hazard": hazard}).to_csv(
        root / "truth.csv", index=False
    )
    excluded = [{"photo_id": "lost", "reason": "the file is missing"}]
    flow = {"photos_in": len(photo) + 1, "patients_in": N, "excluded": excluded}
    (root / "flow.json").write_text(json.dumps(flow))
    run(split_patients, root, {"aligned": root / "full.csv"}, {"folds": root / "folds.csv"})
    for features in ("face", "clinical", "pixels", "fused"):
        for fold in range(1, FOLDS + 1):
            fit(root, features, fold)
    return root


def run(script, root, inputs, outputs, **wildcards):
    tables = {name: root / f"{name}.csv" for name in ("photos", "patients", "folds")}
    script.main(
        SimpleNamespace(
            input=Names({**tables, **inputs}),
            output=Names(outputs),
            params=Names(settings=SETTINGS),
            wildcards=Names(generator="cohort", view="full", **wildcards),
            log=[root / "log"],
            threads=1,
        )
    )


def fit(root, features, fold, name=None, **inputs):
    paths = {
        "face": [root / "codes.npz"],
        "pixels": [root / "images.npz"],
        "fused": [root / f"face-{fold}.npz"],
        "clinical": [],
    }
    output = root / f"{name or features}-{fold}.npz"
    wildcards = {"features": features, "model": "coxph", "repeat": "1", "fold": str(fold)}
    run(fit_model, root, {"features": paths[features], **inputs}, {"fit": output}, **wildcards)
    return output


@pytest.fixture(scope="module")
def scored(road):
    score(road, road)
    return json.loads((road / "summary.json").read_text())


def score(road, folder):
    """Run the evaluation, its results going to ``folder``."""
    names = ("summary.json", "measures.json", "curves.json", "risks.csv")
    run(
        evaluate,
        road,
        {
            "fits": sorted(road.glob("*-?.npz")),
            "flow": road / "flow.json",
            "aligned": road / "full.csv",
            "gate": road / "gate.csv",
            "truth": road / "truth.csv",
            "latents": road / "codes.npz",
            "images": road / "images.npz",
        },
        {name.split(".")[0]: folder / name for name in names},
    )


@pytest.fixture(scope="module")
def measured(road, scored):
    made = json.loads((road / "measures.json").read_text())
    return made | {row["features"]: row for row in made["models"]}


def test_a_patient_without_a_usable_photo_has_no_fold(road):
    folds = pd.read_csv(road / "folds.csv", dtype={"patient_id": str})
    assert len(folds) == N - 1 and f"{N - 1:04d}" not in set(folds.patient_id)


def test_summary_accounts_for_everybody(scored):
    assert scored["photos_in"] == N + 31 and scored["photos_used"] == N + 29
    assert scored["patients_in"] == N and scored["patients_used"] == N - 1
    assert scored["excluded"] == [
        {"photo_id": "lost", "reason": "the file is missing"},
        {"photo_id": f"x{N - 1:03d}", "reason": "no face found"},
        {"patient_id": f"{N - 1:04d}", "reason": "no usable photo"},
    ]


def test_the_same_fits_give_the_same_bytes(road, scored, tmp_path):
    score(road, tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (road / path.name).read_bytes(), path.name


def test_scores_find_what_was_planted(scored):
    scores = {row["features"]: row for row in scored["scores"]}
    truth = scored["true_model"]
    assert truth["all"] > truth["face"] > 0.65
    assert scores["face"]["c_index"] > truth["face"] - 0.06
    assert (
        scores["face"]["c_index_low"] < scores["face"]["c_index"] < scores["face"]["c_index_high"]
    )
    assert scores["fused"]["c_index"] > max(scores[f]["c_index"] for f in ("face", "clinical"))
    assert scores["fused"]["ibs"] < scores["fused"]["ibs_km"] and scores["fused"]["ipa_low"] > 0
    assert {row["ibs_km"] for row in scores.values()} == {scores["face"]["ibs_km"]}
    assert scores["face"]["folds"] == FOLDS and scores["face"]["unscored"] == []
    assert 0.6 < scores["face"]["uno_c"] < 0.9


def test_the_true_model_is_scored_in_the_folds_like_the_models(road, scored):
    tables = [
        pd.read_csv(road / f"{name}.csv", dtype={"patient_id": str})
        for name in ("patients", "truth")
    ]
    table = tables[0].merge(tables[1]).set_index("patient_id")
    folds = pd.read_csv(road / "folds.csv", dtype={"patient_id": str})
    for name, column in (("face", "log_hazard_face"), ("all", "log_hazard")):
        scores = []
        for _, own in folds.groupby("fold"):
            test = table.loc[own.patient_id]
            scores.append(c_index(Outcome.of(test), test[column].to_numpy()))
        assert scored["true_model"][name] == pytest.approx(np.mean(scores), abs=1e-12)


def test_comparisons_are_differences_of_scores(scored):
    scores = {row["features"]: row for row in scored["scores"]}
    pairs = {(row["features"], row["against"]): row for row in scored["comparisons"]}
    assert set(pairs) == {("fused", "clinical"), ("face", "pixels")}
    for (own, other), row in pairs.items():
        for name in ("c_index", "uno_c", "ibs"):
            found = row[name]
            assert found["value"] == pytest.approx(scores[own][name] - scores[other][name])
            assert found["low"] < found["value"] < found["high"]
            assert found["folds_low"] < found["value"] < found["folds_high"]
    # The face was planted beside the clinical data; face and pixels show the same.
    added = pairs[("fused", "clinical")]
    assert added["c_index"]["low"] > 0 and added["c_index"]["p"] < 0.01
    assert added["ibs"]["high"] < 0 and added["likelihood"]["p"] < 1e-6


def test_measures_of_the_fused_model_tell_what_was_planted(measured):
    fused = measured["fused"]
    assert fused["hazard"]["low"] > 1.5
    assert [row["group"] for row in fused["group_hazards"]] == ["medium", "high"]
    assert 1 < fused["group_hazards"][0]["value"] < fused["group_hazards"][1]["value"]
    for row in fused["calibration"]:
        assert 0.7 < row["observed_to_expected"]["value"] < 1.4
        assert row["ici"]["value"] < 0.15 and row["slope"]["low"] > 0
        assert sum(group["n"] for group in row["groups"]) == N - 1
    assert sum(fused["d_calibration"]["bins"]) == pytest.approx(N - 1)
    # In the middle of the follow-up the model knows more than the Kaplan-Meier curve.
    middle = len(fused["times"]) // 2
    assert fused["brier"]["value"][middle] < fused["brier_km"][middle]
    assert fused["auc"]["low"][middle] > 0.6
    treat = fused["decision"][0]
    middle = len(treat["thresholds"]) // 2
    assert treat["model"]["value"][middle] > max(0, treat["everybody"][middle])


def test_subgroups_part_the_cohort_by_every_clinical_column(measured):
    rows = measured["face"]["subgroups"]
    for column in ("age", "stage"):
        own = [row for row in rows if row["column"] == column]
        assert sum(row["n"] for row in own) == N - 1
    by_name = {row["group"]: row for row in rows}
    assert {"I", "II", "not known"} <= set(by_name)
    assert by_name["II"]["c_index"]["low"] < by_name["II"]["c_index"]["value"]


def test_probe_reads_the_planted_hazard(scored):
    probe = scored["probe"]
    assert probe["codes"] > 0.9 and probe["pixels"] > 0.8
    assert probe["ratio"] == pytest.approx(probe["codes"] / probe["pixels"])


def test_curves_hold_every_patient_and_part_by_risk(road, scored):
    curve = {c["features"]: c for c in json.loads((road / "curves.json").read_text())}["face"]
    assert [g["name"] for g in curve["groups"]] == ["low risk", "medium risk", "high risk"]
    assert sum(g["n"] for g in curve["groups"]) == N - 1
    assert all(g["at_risk"][0] == g["n"] for g in curve["groups"])
    assert all(len(g["times"]) == len(g["survival"]) == len(g["low"]) for g in curve["groups"])
    assert curve["logrank_p"] < 0.001


def test_log_rank_of_the_road_allows_for_folds_that_train_each_other(road, scored):
    patients = pd.read_csv(road / "patients.csv", dtype={"patient_id": str})
    fits = [FoldFit.load(road / f"face-{k}.npz", patients) for k in range(1, FOLDS + 1)]
    risks = patient_risks(fits)
    plain = risk_groups(fits[0].key, risks, 1.0)["logrank_p"]
    found = {c["features"]: c for c in json.loads((road / "curves.json").read_text())}["face"]
    # Four folds that are tested by what the other three trained; three groups bear .4 of that.
    assert chi2.isf(found["logrank_p"], 2) * (1 + 0.4 * 4 / 3) == pytest.approx(
        chi2.isf(plain, 2), rel=0.01
    )


def test_risks_have_one_row_per_patient_and_model(road, scored):
    risks = pd.read_csv(road / "risks.csv", dtype={"patient_id": str})
    assert len(risks) == 4 * (N - 1) and risks.patient_id.nunique() == N - 1
    assert risks.risk.between(0, 1).all()


def test_fits_are_the_same_bytes_and_ignore_the_test_outcomes(road):
    again = fit(road, "face", 2, name="again")
    assert again.read_bytes() == (road / "face-2.npz").read_bytes()
    patients = pd.read_csv(road / "patients.csv", dtype={"patient_id": str})
    tested = patients.patient_id.isin(np.load(again)["test_ids"])
    patients.loc[tested, ["time", "event"]] = patients.loc[tested, ["time", "event"]].values[::-1]
    patients.to_csv(road / "shuffled.csv", index=False)
    other = fit(road, "face", 2, name="again", patients=road / "shuffled.csv")
    assert other.read_bytes() == (road / "face-2.npz").read_bytes()
    other.unlink()


def test_coefficients_return_the_risk_from_the_codes(road):
    with np.load(road / "face-1.npz") as made, np.load(road / "codes.npz") as latents:
        photos = pd.read_csv(road / "photos.csv", dtype=str).set_index("photo_id").patient_id
        owner = photos.loc[latents["photo_ids"]].to_numpy()
        codes = pd.DataFrame(latents["codes"].reshape(len(owner), -1)).groupby(owner).mean()
        centred = codes.loc[made["test_ids"]] - codes.loc[made["train_ids"]].mean()
        np.testing.assert_allclose(centred @ made["coefficients"], made["test_risk"], atol=1e-5)


def test_permutation_file(road):
    output = road / "permutation.json"
    run(permute_outcomes, road, {"features": road / "codes.npz"}, {"permutation": output})
    result = json.loads(output.read_text())
    assert len(result["c_index"]) == 4
    assert result["low"] <= result["mean"] <= result["high"]
    assert abs(result["mean"] - 0.5) < 0.1 < result["observed"] - 0.5
    assert result["p_value"] == pytest.approx(1 / 5)


def test_observed_score_of_the_permutation_test_is_the_model_s_own(road, scored):
    observed = json.loads((road / "permutation.json").read_text())["observed"]
    face = [row["c_index"] for row in scored["scores"] if row["features"] == "face"]
    assert observed == pytest.approx(face[0], abs=1e-9)


def test_too_few_events_leave_a_reason_instead_of_a_score(road):
    patients = pd.read_csv(road / "patients.csv", dtype={"patient_id": str})
    patients["event"] = (patients.index < 3).astype(int)
    patients.to_csv(road / "alive.csv", index=False)
    path = fit(road, "face", 1, name="alive", patients=road / "alive.csv")
    made = FoldFit.load(path, patients)
    path.unlink()
    assert "too few" in made.reason
    scores = fold_scores(made, np.ones((3, len(made.test_ids))))
    row = score_row(made.key, [made], [scores])
    assert np.isnan(row["c_index"]) and row["unscored"][0]["reason"] == made.reason
    assert risk_groups(made.key, patient_risks([made]), 1.0)["groups"] == []


@pytest.mark.parametrize("kind", ["one death a fold", "two deaths a fold", "one time for all"])
def test_cohorts_that_leave_little_to_learn_are_scored_as_far_as_they_can_be(road, tmp_path, kind):
    for name in ("photos.csv", "full.csv", "gate.csv", "truth.csv", "flow.json", "codes.npz"):
        (tmp_path / name).symlink_to(road / name)
    (tmp_path / "images.npz").symlink_to(road / "images.npz")
    patients = pd.read_csv(road / "patients.csv", dtype={"patient_id": str})
    if kind == "one time for all":
        patients["time"] = 7.0
    else:
        patients["event"] = 0
        dead = range(3, 3 + (FOLDS if kind == "one death a fold" else 2 * FOLDS))
        patients.loc[dead, "event"] = 1
    patients.to_csv(tmp_path / "patients.csv", index=False)
    folds = tmp_path / "folds.csv"
    run(split_patients, tmp_path, {"aligned": tmp_path / "full.csv"}, {"folds": folds})
    for features in ("face", "clinical", "fused"):
        for fold in range(1, FOLDS + 1):
            fit(tmp_path, features, fold)
    score(tmp_path, tmp_path)
    (face,) = [
        row
        for row in json.loads((tmp_path / "summary.json").read_text())["scores"]
        if row["features"] == "face"
    ]
    if kind == "one death a fold":
        reasons = {row["reason"] for row in face["unscored"]}
        assert face["c_index"] is None and any("are too few for" in r for r in reasons)
    else:
        assert 0 < face["c_index"] < 1 and not face["unscored"]
