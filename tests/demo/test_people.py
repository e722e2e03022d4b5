import filecmp
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sksurv.metrics import concordance_index_censored

import render_portraits
from facies.common.errors import InputError
from facies.demo.people import write_sheets
from facies.demo.portraits import HEALTH, Portrait, render

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(scope="module")
def sheets():
    patients = pd.read_csv(CONFIG / "patients.csv")
    truth = pd.read_csv(CONFIG / "demo" / "truth.csv")
    portraits = pd.read_csv(CONFIG / "demo" / "portraits.csv")
    return patients, truth, portraits


def test_committed_sheets_are_what_the_code_writes(tmp_path):
    write_sheets(tmp_path)
    for name in ("photos.csv", "patients.csv", "demo/portraits.csv", "demo/truth.csv"):
        assert filecmp.cmp(tmp_path / name, CONFIG / name, shallow=False), name


@pytest.mark.parametrize("variant", ["confounded", "null"])
def test_committed_sheets_of_the_variants_are_what_the_code_writes(tmp_path, variant):
    write_sheets(tmp_path, variant)
    for name in ("photos.csv", "patients.csv", "demo/portraits.csv", "demo/truth.csv"):
        assert filecmp.cmp(tmp_path / name, CONFIG / variant / name, shallow=False), name


def c_index(patients, risk):
    event = patients.event.astype(bool)
    return concordance_index_censored(event, patients.time_months, risk)[0]


def test_in_the_confounded_cohort_the_background_tells_and_the_face_does_not():
    patients = pd.read_csv(CONFIG / "confounded/patients.csv")
    truth = pd.read_csv(CONFIG / "confounded/demo/truth.csv")
    portraits = pd.read_csv(CONFIG / "confounded/demo/portraits.csv")
    hue = portraits.groupby(portraits.photo_id.str.split("-").str[0]).background_hue.mean()
    assert c_index(patients, hue.loc[patients.patient_id]) > 0.7
    assert abs(c_index(patients, truth.log_hazard_face) - 0.5) < 0.05


def test_in_the_null_cohort_nothing_tells():
    patients = pd.read_csv(CONFIG / "null/patients.csv")
    truth = pd.read_csv(CONFIG / "null/demo/truth.csv")
    for name in ("log_hazard", "log_hazard_face"):
        assert abs(c_index(patients, truth[name]) - 0.5) < 0.05
    demo = pd.read_csv(CONFIG / "patients.csv")[: len(patients)]
    assert sorted(demo.time_months) == sorted(patients.time_months)


def test_oracle_and_censoring(sheets):
    patients, truth, _ = sheets
    assert c_index(patients, truth.log_hazard_face) == pytest.approx(0.70, abs=0.015)
    assert c_index(patients, truth.log_hazard) == pytest.approx(0.79, abs=0.015)
    assert 0.3 < 1 - patients.event.mean() < 0.5
    assert 0.03 < patients.stage.isna().mean() < 0.1


def test_counts(sheets):
    patients, _, portraits = sheets
    assert len(patients) == 400 and len(portraits) == 480
    photos = portraits.photo_id.str.split("-").str[0].value_counts()
    assert set(photos) == {1, 2, 3}


def test_background_and_clothes_know_nothing_of_the_hazard(sheets):
    _, truth, portraits = sheets
    hazard = truth.set_index("patient_id").log_hazard_face
    hazard = hazard.loc[portraits.photo_id.str.split("-").str[0]].to_numpy()
    for name in ("background_hue", "background_value", "clothing_hue", "exposure", "warmth", "yaw"):
        assert abs(np.corrcoef(portraits[name], hazard)[0, 1]) < 0.15, name


def test_photos_of_a_patient_share_the_illness_and_not_the_clothes(sheets):
    portraits = sheets[2].assign(patient=sheets[2].photo_id.str.split("-").str[0])
    groups = portraits.groupby("patient")
    several = groups.filter(lambda g: len(g) > 1).groupby("patient")
    assert (several[list(HEALTH)].nunique() == 1).all().all()
    assert (several[["clothing_hue", "background_hue"]].nunique() > 1).all().all()


def test_sheets_that_every_stage_reads_hold_no_truth():
    assert list(pd.read_csv(CONFIG / "photos.csv")) == ["photo_id", "patient_id", "path"]
    columns = ["patient_id", "time_months", "event", "age", "sex", "stage"]
    assert list(pd.read_csv(CONFIG / "patients.csv")) == columns


def cheeks(**attributes):
    """Mean linear-ish RGB of both cheeks of one person."""
    photo, _, points = render(Portrait(blur=0.2, grain=0.0, **attributes))
    eyes, mouth = points["eyes"], points["mouth"]
    y = int((eyes[:, 1].mean() + mouth[:, 1].mean()) / 2)
    patches = [photo[y - 4 : y + 4, int(x) - 4 : int(x) + 4] for x in eyes[:, 0]]
    return np.mean(patches, axis=(0, 1, 2))


def test_illness_shows_as_it_should():
    well, pale, yellow = cheeks(), cheeks(pallor=1.0), cheeks(jaundice=1.0)
    assert pale[0] - pale[1] < 0.7 * (well[0] - well[1])
    assert yellow[2] < 0.85 * well[2]
    assert yellow[1] >= well[1] - 2


def test_rendering_is_deterministic_and_regions_are_four():
    first, second = render(Portrait(seed=3)), render(Portrait(seed=3))
    assert np.array_equal(first[0], second[0])
    assert set(np.unique(first[1])) == {1, 2, 3, 4}


def test_a_demo_left_on_over_own_photos_is_refused(tmp_path):
    (tmp_path / "photos.csv").write_text("photo_id,patient_id,path\nx1,1,x1.jpg\n")
    portraits = pd.DataFrame({"photo_id": ["P0001-1"]})
    with pytest.raises(InputError, match="x1 is no photo of the demo.*cohort.demo: null"):
        render_portraits.refuse_real_cohort(tmp_path / "photos.csv", portraits)


def test_ids_of_portraits_cannot_leave_their_folder(tmp_path):
    sheet = tmp_path / "portraits.csv"
    sheet.write_text("photo_id,age\n0001,1\n../../b,2\n")
    with pytest.raises(InputError, match="row 3: photo_id may hold letters"):
        render_portraits.read_portraits(sheet)
    sheet.write_text("photo_id,age\n0001,1\n")
    assert render_portraits.read_portraits(sheet).photo_id.tolist() == ["0001"]
