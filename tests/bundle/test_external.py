"""Figures on outside patients against planted truths, and bundles against every changed byte."""

import os

import numpy as np
import pandas as pd
import pytest
import torch

from facies.bundle import external
from facies.bundle.locked import (
    MEASURES,
    Bundle,
    LinearModel,
    encoder_arrays,
    load_bundle,
    moments,
    read_card,
    write_bundle,
)
from facies.bundle.refit import coarse_baseline, refit
from facies.common.errors import InputError
from facies.generator.checkpoints import load_networks, save_networks
from facies.generator.stylegan2 import Discriminator, Generator
from facies.generator.stylegan2 import Encoder as Network
from facies.statistics.outcome import Outcome
from facies.survival.clinical import ClinicalEncoder
from facies.survival.cox import baseline_hazard
from facies.survival.designs import PhotoDesign
from facies.survival.models import MODELS

RATE = 0.1
N_MEASURES = sum(len(names) for names in MEASURES.values())


def exponential_model():
    """Hazard RATE * exp(risk), known until time 10."""
    times = np.linspace(0, 10, 21)[1:]
    return LinearModel(0.0, np.ones(1), np.array([-0.5, 0.5]), times, RATE * times)


def simulate(n, rate=RATE, seed=0):
    """Risks and outcomes that are what the model says, if the rate is, under censoring."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=n)
    death, end = rng.exponential(1 / (rate * np.exp(risk))), rng.uniform(1, 20, n)
    return risk, Outcome(np.minimum(death, end), death <= end)


def test_a_true_model_is_calibrated():
    risk, outcome = simulate(300)
    found = external.validate(exponential_model(), risk, outcome, np.random.default_rng(1))
    for name in ("slope", "observed_to_expected"):
        assert found[f"{name}_low"] < 1 < found[f"{name}_high"]
        assert found[f"{name}_high"] - found[f"{name}_low"] < 0.6
    for row in found["groups"]:
        assert row["low"] - 0.01 < row["predicted"] < row["high"] + 0.01


def test_wrong_models_are_told():
    risk, outcome = simulate(300, rate=2 * RATE)
    found = external.validate(exponential_model(), 2 * risk, outcome, np.random.default_rng(1))
    assert found["slope"] == pytest.approx(0.5, abs=0.12)
    right = external.validate(exponential_model(), risk, outcome, np.random.default_rng(1))
    assert right["observed_to_expected_low"] > 1.2


def test_expected_deaths_can_be_counted_by_hand():
    outcome = Outcome(np.array([5.0, 20.0]), np.array([True, True]))
    risk = np.log([1.0, 2.0])
    found = external.validate(exponential_model(), risk, outcome, np.random.default_rng(1))
    assert found["observed"] == 1  # the second dies after the horizon of 10
    assert found["expected"] == pytest.approx(0.1 * 5 + 2 * 0.1 * 10)


def test_group_and_survival_by_hand():
    model = exponential_model()
    assert model.group([-1, 0, 1]).tolist() == [0, 1, 2]
    hazard = model.cumulative_hazard([0.0, np.log(3)], [0.75, 10, 11])
    assert hazard[:, :2] == pytest.approx(np.array([[0.075, 1.0], [0.225, 3.0]]))
    assert np.isnan(hazard[:, 2]).all()


def test_the_baseline_that_leaves_the_house_is_that_of_risks_out_of_fold():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(150, 60))
    _, outcome = simulate(150)
    rows = np.arange(150)
    model, fit = refit(PhotoDesign(x, rows), rows, x, outcome, MODELS["coxph"], 4, [1])
    times, hazard = coarse_baseline(fit.inner_oof_risk, outcome)
    np.testing.assert_array_equal(model.times, times)
    np.testing.assert_array_equal(model.hazard, hazard)
    np.testing.assert_allclose(model.intercept + x @ model.coefficients, fit.test_risk, atol=1e-9)


def test_coarse_baseline_is_the_fine_one_at_its_ends():
    risk, outcome = simulate(300)
    times, hazard = coarse_baseline(risk, outcome)
    event_times, fine = baseline_hazard(risk, outcome)
    assert len(times) == 20 and times[-1] <= np.quantile(outcome.time, 0.9)
    assert f"{times[-1]:.2g}" == f"{times[-1]:g}"
    for time, value in zip(times, hazard, strict=True):
        assert value == fine[event_times <= time].max(initial=0)


def bundle_of(n=200, p=40, seed=2):
    """A bundle of patients whose codes and measures are standard normal."""
    values = np.random.default_rng(seed).normal(size=(n, p))
    arrays = {f"codes.{k}": v for k, v in moments(values).items()}
    arrays |= {f"measures.{k}": v for k, v in moments(values[:, :N_MEASURES]).items()}
    arrays |= {f"face.risk.{k}": v for k, v in moments(values[:, :1]).items()}
    return Bundle({"cohort": {"patients": n}, "encoders": {}}, arrays)


def test_drift_finds_what_was_moved_and_nothing_else():
    rng = np.random.default_rng(3)
    codes = rng.normal(size=(150, 40))
    measures = rng.normal(size=(150, N_MEASURES))
    measures[:, 2] -= 1.0
    table = pd.DataFrame({"face": rng.normal(size=150) + 1.0})
    found = external.drift(bundle_of(), codes, measures, table, rng)
    moved = {row["measure"] for row in found["measures"] if abs(row["difference"]) > 0.5}
    assert moved == {"crop_sharpness", "log-risk, face"}
    sharpness = found["measures"][2]
    assert sharpness["low"] < -1.0 < sharpness["high"]
    assert found["codes"]["shift"] < found["codes"]["by_chance"]
    again = external.drift(bundle_of(), codes + 0.3, measures, table, rng)
    assert again["codes"]["shift"] > again["codes"]["by_chance"]


def test_encoder_applies_what_it_learned():
    known = pd.DataFrame({"age": [40.0, 60, np.nan, 80], "stage": ["I", "II", "II", None]})
    encoder = ClinicalEncoder.learn(known, np.arange(4))
    new = pd.DataFrame({"age": ["60", None], "stage": ["II", "IV"]})
    # Columns: age, age missing, stage II, stage missing; the median of 40, 60 and 80 is 60.
    x = encoder(new) * encoder.scale + encoder.centre
    assert x.tolist() == [[60, 0, 1, 0], [60, 1, 0, 0]]


@pytest.fixture
def sealed(tmp_path):
    torch.manual_seed(0)
    small = {"channel_base": 64, "channel_max": 8}
    generator = Generator(4, 8, 16, mapping_layers=1, **small)
    networks = {"generator": generator, "discriminator": Discriminator(16, **small)}
    networks["encoder"] = Network(generator.num_ws, 8, 16, **small)
    save_networks(tmp_path / "networks.safetensors", networks)
    path = tmp_path / "bundle.safetensors"
    write_bundle(path, tmp_path / "networks.safetensors", *whole_bundle())
    return path, generator


def whole_bundle():
    """Arrays and card of a bundle of the face and of age and stage, for codes of 6 x 8 numbers."""
    steps = np.arange(1.0, 21)
    model = {"intercept": [0], "thresholds": [-0.5, 0.5], "times": steps, "hazard": steps / 20}
    model |= {"risk.mean": [0], "risk.sd": [1]}
    arrays = {f"{features}.{k}": v for features in ("face", "clinical") for k, v in model.items()}
    arrays |= {"face.coefficients": np.ones(48), "clinical.coefficients": [0.5, 1]}
    arrays |= {"clinical.encoder.centre": [60, 0.5], "clinical.encoder.scale": [10, 0.5]}
    arrays |= {f"codes.{name}": np.ones(48) for name in ("mean", "sd")}
    arrays |= {f"measures.{name}": np.full(N_MEASURES, np.nan) for name in ("mean", "sd")}
    arrays = {name: np.array(value, float) for name, value in arrays.items()}
    columns = [{"name": "age", "median": 60.0, "levels": []}]
    columns += [{"name": "stage", "median": None, "levels": ["I", "II"]}]
    photos = {"resolution": 16, "alignment": {}, "gate": {}}
    photos["projection"] = {"steps": 3, "batch": 8}
    card = {"format": 2, "models": {"face": {}, "clinical": {}}, "code": {}, "photos": photos}
    card |= {"encoders": {"face": [], "clinical": columns}, "cohort": {"patients": 24}}
    return arrays | {"clinical.encoder.kept": np.array([0, 2])}, card


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("face.hazard", np.linspace(1, 0, 20), "face.hazard is negative or decreases"),
        ("face.hazard", np.linspace(-1, 1, 20), "face.hazard is negative or decreases"),
        ("face.hazard", np.full(20, np.inf), "face.hazard is infinite"),
        ("face.hazard", np.full(20, np.nan), "face.hazard holds what is no number"),
        ("face.hazard", np.arange(19.0), "face.hazard is not there, or not 20 numbers"),
        ("face.times", np.zeros(20), "face.times do not increase from 0"),
        ("face.times", np.arange(1, 21) + 1e15, "face.times do not increase from 0 in equal steps"),
        (
            "face.times",
            np.arange(1, 21) * 1e-320,
            "face.times do not increase from 0 in equal steps",
        ),
        ("face.times", np.arange(20.0), "face.times do not increase from 0"),
        ("face.thresholds", np.array([0.5, -0.5]), "face.thresholds are not in order"),
        ("face.coefficients", np.ones(47), "face.coefficients is not there, or not 48 numbers"),
        ("face.coefficients", np.full(48, np.nan), "face.coefficients holds what is no number"),
        ("clinical.intercept", np.array([np.inf]), "clinical.intercept is infinite"),
        ("clinical.coefficients", np.ones((1, 2)), "clinical.coefficients is not there"),
        ("clinical.encoder.scale", np.array([0.0, 1]), "clinical.encoder.scale is not positive"),
        ("clinical.encoder.kept", np.array([0, 4]), "kept names other than 4 columns"),
        ("clinical.encoder.kept", np.array([2, 0]), "kept names other than 4 columns"),
        ("clinical.encoder.kept", np.array([0.0, 2]), "encoder.kept is not there"),
        ("codes.sd", np.full(48, -1.0), "codes.sd is negative"),
        ("codes.mean", None, "codes.mean is not there, or not 48 numbers"),
        ("clinical.encoder.kept", None, "something is missing"),
    ],
)
def test_a_sealed_bundle_of_impossible_numbers_is_refused(sealed, name, value, message):
    arrays, card = whole_bundle()
    arrays = {k: v for k, v in (arrays | {name: value}).items() if v is not None}
    write_bundle(sealed[0], sealed[0].with_name("networks.safetensors"), arrays, card)
    with pytest.raises(InputError, match=f"its numbers cannot be used: .*{message}"):
        load_bundle(sealed[0])


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (["photos", "projection", "steps"], 10**12, "steps is 1000000000000, not a whole number"),
        (["photos", "projection", "steps"], None, "steps is None"),
        (["photos", "projection"], None, "something is missing"),
        (["photos", "resolution"], 10**6, "photos.resolution is 1000000"),
        (["photos", "gate"], ..., "it has no photos.gate"),
        (["photos", "gate"], {"psnr_face": "18"}, "photos.gate.psnr_face is '18'"),
        (["photos", "gate"], {"action": None}, "photos.gate.action is None"),
        (["photos", "alignment"], {"covered": "no"}, "photos.alignment.covered is 'no'"),
        (["photos", "alignment"], {"min_face": True}, "photos.alignment.min_face is True"),
        (["photos", "projection", "tolerance"], -1, "photos.projection.tolerance is -1"),
        (["photos", "projection", "noise"], 1, "photos.projection.noise is 1"),
        (["photos", "projection", "space"], ["w"], r"photos.projection.space is \['w'\]"),
        (["cohort"], ..., "it has no cohort"),
        (["cohort", "patients"], 0, "cohort.patients is no number of patients"),
        (["code"], ..., "it has no code"),
        (["models"], {"clinical": {}}, "its models are not of the face"),
        (["models"], [], "its models are not of the face"),
        (["encoders", "clinical"], [], "encoders.clinical has no column"),
        (["encoders", "clinical"], [{"name": "age"}], "something is missing"),
        (
            ["encoders", "clinical"],
            [{"name": "age", "median": "60", "levels": []}],
            "neither numbers nor categories",
        ),
        (
            ["encoders", "clinical"],
            [{"name": "stage", "median": None, "levels": "I"}],
            "neither numbers nor categories",
        ),
        (
            ["cohort"],
            {"patients": 24, "kinds": {"age": "category"}},
            "cohort.kinds says otherwise than encoders what age is",
        ),
    ],
)
def test_a_sealed_bundle_of_an_impossible_card_is_refused(sealed, place, value, message):
    arrays, card = whole_bundle()
    *folders, last = place
    section = card
    for name in folders:
        section = section[name]
    section[last] = value
    if value is ...:
        del section[last]
    write_bundle(sealed[0], sealed[0].with_name("networks.safetensors"), arrays, card)
    with pytest.raises(InputError, match=f"its card cannot be used: .*{message}"):
        load_bundle(sealed[0])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_card_holds_finite_numbers_alone(sealed, number):
    raw = sealed[0].read_bytes()
    odd = raw.replace(b'\\"median\\": 60.0', b'\\"median\\": ' + number.encode(), 1)
    size = len(odd) - len(raw) + int.from_bytes(raw[:8], "little")
    sealed[0].write_bytes(size.to_bytes(8, "little") + odd[8:])
    assert odd != raw
    with pytest.raises(InputError, match="no bundle of this workflow"):
        read_card(sealed[0])


def test_a_pipe_is_no_bundle(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no regular file"):
        read_card(tmp_path / "pipe")


def test_networks_come_back_from_a_bundle(sealed):
    path, generator = sealed
    tensors = load_bundle(path).tensors
    assert tensors["face.hazard"].tolist() == [i / 20 for i in range(1, 21)]
    found = load_networks(path, "generator", "trunk", "encoder")
    state = found[0].state_dict()
    assert all(torch.equal(v, state[k]) for k, v in generator.state_dict().items())
    # Of the discriminator, what sees photos for projection; its last block stays at home.
    assert not [name for name in tensors if name.startswith(("discriminator.", "trunk.b4."))]
    whole, trunk = load_networks(path.with_name("networks.safetensors"), "discriminator", "trunk")
    images = torch.randn(2, 3, 16, 16)
    for own in (trunk, found[1]):
        for a, b in zip(whole.features(images), own.features(images), strict=True):
            assert torch.equal(a, b)
    with pytest.raises(InputError, match="holds no discriminator"):
        load_networks(path, "discriminator")


def test_any_changed_byte_is_refused(sealed):
    path, _ = sealed
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in [9, len(whole) - 1, *rng.integers(8, len(whole), 40)]:
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(InputError):
            load_bundle(path)
    path.write_bytes(whole)
    load_bundle(path)


def test_a_bundle_of_another_format_is_refused(sealed):
    path, _ = sealed
    networks = path.with_name("networks.safetensors")
    write_bundle(path, networks, {}, {"format": 3, "encoders": {}, "models": {}})
    with pytest.raises(InputError, match="a bundle of format 3, this version reads 2; use the ver"):
        load_bundle(path)


def test_unknown_categories_are_listed_and_count_as_none(capsys):
    known = pd.DataFrame({"stage": ["I", "II", "III"], "sex": ["F", "M", "F"]})
    encoder = ClinicalEncoder.learn(known, np.arange(3))
    words, _ = encoder_arrays(encoder)
    bundle = Bundle({"encoders": {"clinical": words}}, {})
    new = pd.DataFrame({"stage": ["IV", "II", None, "0"], "sex": ["F", "M", "F", None]})
    with pytest.raises(
        InputError, match=r"p.csv: stage: 2 of 3 values \(67%\) .* knows I, II, III:"
    ):
        external.unknown_categories("p.csv", bundle, new)
    half = new.assign(stage=["IV", "II", None, None])
    assert external.unknown_categories("p.csv", bundle, half) == {"stage": [0]}
    assert "stage: 1 of 2 values are not among I, II, III" in capsys.readouterr().out
    as_first = new.assign(stage=["I", "II", None, "I"])
    assert np.array_equal(encoder(new), encoder(as_first))


@pytest.mark.parametrize("words", ["mfmfmmfmmmfmmfmmmfmm", "mfffffffffmmmmmmmmmm"])
def test_a_category_that_is_called_otherwise_is_refused(words):
    """Where home wrote w for f: half of the patients would count as men."""
    column = {"name": "sex", "median": None, "levels": ["m", "w"]}
    bundle, sex = Bundle({"encoders": {"clinical": [column]}}, {}), pd.DataFrame({"sex": [*words]})
    with pytest.raises(InputError, match=r"p.csv: sex: \d of 20 values .*knows m, w: write them"):
        external.unknown_categories("p.csv", bundle, sex)
    # A third one, beside both that are known, is only listed.
    third = pd.DataFrame({"sex": [*words.replace("f", "d"), *"wwwwwwwwww"]})
    assert len(external.unknown_categories("p.csv", bundle, third)["sex"]) == words.count("f")
    few = pd.DataFrame({"sex": [*"m" * 40, *"d" * 4]})
    assert len(external.unknown_categories("p.csv", bundle, few)["sex"]) == 4


def test_numbers_in_another_unit_are_refused():
    known = pd.DataFrame({"sex": [*"FFMMFM"], "age": [40.0, 50, 60, 70, 80, np.nan]})
    words, arrays = encoder_arrays(ClinicalEncoder.learn(known, np.arange(6)))
    arrays = {f"clinical.encoder.{name}": value for name, value in arrays.items()}
    bundle = Bundle({"encoders": {"clinical": words}}, arrays)
    external.refuse_other_units("p.csv", bundle, known)
    external.refuse_other_units("p.csv", bundle, known.assign(age=[20, 95, 60, 900, np.nan, 90]))
    with pytest.raises(InputError, match="p.csv: age: 5 of 5 values are more than 5 SD from"):
        external.refuse_other_units("p.csv", bundle, known.assign(age=known.age * 12))


def test_a_column_that_is_not_there_is_refused_and_a_lacking_outcome_is_told(tmp_path):
    card = {"encoders": {"clinical": [{"name": "age", "median": 60.0, "levels": []}]}}
    sheet = tmp_path / "patients.csv"
    unit = {"time_unit": "months"}
    sheet.write_text("patient_id,age,months,dead\n01,60,7,1\n02,70,,0\n03,50,-2,1\n04,55,3,\n")
    for columns, missing in ((("weeks", "dead"), "weeks"), (("months", "event"), "event")):
        with pytest.raises(InputError, match=f"no column {missing}; there are patient_id, age"):
            external.read_patients(sheet, Bundle(card, {}), *columns)
    with pytest.raises(InputError, match="no column stage"):
        other = [{"name": "stage", "median": None, "levels": ["I"]}]
        external.read_patients(sheet, Bundle({"encoders": {"clinical": other}}, {}), None, None)
    found = external.read_patients(sheet, Bundle(card, {}), "months", "dead")
    assert len(found.clinical) == 4 and found.known.index.tolist() == ["01"]
    assert found.reasons == {
        "02": "months is missing",
        "03": "months is not positive",
        "04": "dead is missing",
    }
    sheet.write_text("patient_id,age,months,dead\n01,60,7,1\n02,70,0,1\n")
    found = external.read_patients(sheet, Bundle(card, {}), "months", "dead")
    assert found.known.time.tolist() == [7, 0.5]
    assert found.notes[0] == "1 of 2 deaths at months 0 are counted at 0.5, half its unit"
    sheet.write_text("patient_id,age,months,dead\n01,60,7,1\n02,70,3000,1\n")
    found = external.read_patients(sheet, Bundle(card | {"cohort": unit}, {}), "months", "dead")
    assert (
        "months goes beyond 120 years if it is in months: write times in the unit" in found.notes[0]
    )
    with pytest.raises(InputError, match="predict.columns: Age is none of .*: months, age; corr"):
        external.read_patients(sheet, Bundle(card, {}), "months", "dead", {"Age": "number"})


def bundled(**kinds):
    """A bundle whose clinical columns are of these kinds."""
    words = [
        {"name": n, "median": None if kind == "category" else 60.0, "levels": ["I", "II"]}
        for n, kind in kinds.items()
    ]
    return Bundle({"encoders": {"clinical": words}, "cohort": {"kinds": kinds}}, {})


@pytest.mark.parametrize(
    ("kind", "cells", "message"),
    [
        ("number", "60,old", "row 3: age is not a number"),
        ("number", "60,03.11.2018", "row 3: age is not a number"),
        ("date", "60,70", "row 2: age is not a date"),
        ("number", "60,-999", "row 3: age holds -999 .*predict.columns: {age: {missing"),
        ("number", "300,1.200", "row 3: age has two meanings.*predict.columns: {age: {decimal"),
    ],
)
def test_a_column_of_another_kind_is_refused(tmp_path, kind, cells, message):
    sheet = tmp_path / "patients.csv"
    sheet.write_text(
        "patient_id,age\n" + "".join(f"0{i},{c}\n" for i, c in enumerate(cells.split(",")))
    )
    with pytest.raises(InputError, match=message):
        external.read_patients(sheet, bundled(age=kind), None, None)
    with pytest.raises(InputError, match=f"age was a {kind} where the bundle was made"):
        external.read_patients(sheet, bundled(age=kind), None, None, {"age": "category"})


def test_sheets_of_another_hospital_are_read_by_the_bundle_s_kinds(tmp_path):
    photos, sheet = tmp_path / "photos.csv", tmp_path / "patients.csv"
    photos.write_text("photo_id;patient_id;path\na;01;a.jpg\n")
    sheet.write_text("patient_id;age;seen;ward\n01;63,4;03.11.2018;2\n02;k.A.;04.11.2018;II\n")
    bundle = bundled(age="number", seen="date", ward="category")
    _, found = external.read_both(photos, sheet, bundle, None, None)
    assert found.clinical.age.fillna(-1).tolist() == [63.4, -1]
    assert found.clinical.seen.tolist() == [6881, 6882]
    assert found.clinical.ward.tolist() == ["ward 2", "II"]
    assert found.columns.kind.tolist() == ["number", "date", "category"]
    sheet.write_text(sheet.read_text().replace("01;", "1;"))
    with pytest.raises(
        InputError, match=r"patients.csv row 2 and \S*photos.csv row 2 .* leading ze"
    ):
        external.read_both(photos, sheet, bundle, None, None)
    photos.write_text("photo_id;patient_id;path\na;A-1;a.jpg\n")
    with pytest.raises(InputError, match=r"patients.csv: no patient of \S*photos.csv is in it"):
        external.read_both(photos, sheet, bundle, None, None)
    with pytest.raises(InputError, match="predict.patients: name a sheet"):
        external.read_both(photos, None, bundle, None, None)


def test_a_number_that_is_missing_is_read_as_missing(tmp_path):
    sheet = tmp_path / "patients.csv"
    sheet.write_text("patient_id,age\n01,60\n02,NA\n")
    found = external.read_patients(sheet, bundled(age="number"), None, None)
    assert found.clinical.index.tolist() == ["01", "02"] and found.known.empty
    assert found.clinical.age.isna().tolist() == [False, True]
    filled = "age: 1 of 2 values are missing and are filled in as where the bundle was made"
    assert found.notes == [filled]
    sheet.write_text("patient_id,age\n01,\n02,NA\n")
    with pytest.raises(InputError, match="age has no value; the bundle's clinical models need it"):
        external.read_patients(sheet, bundled(age="number"), None, None)
