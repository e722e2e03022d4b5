"""Bundles against every changed byte and impossible number, and what their models compute."""

import os

import numpy as np
import pandas as pd
import pytest
import torch
from exponential import exponential_model

from facies.bundle.locked import (
    load_bundle,
    read_card,
    write_bundle,
)
from facies.bundle.schema import MEASURES
from facies.common.errors import InputError
from facies.generator.checkpoints import load_networks, save_networks
from facies.generator.stylegan2 import Discriminator, Generator
from facies.generator.stylegan2 import Encoder as Network
from facies.survival.clinical import ClinicalEncoder

N_MEASURES = sum(len(names) for names in MEASURES.values())


def test_group_and_survival_by_hand():
    model = exponential_model()
    assert model.group([-1, 0, 1]).tolist() == [0, 1, 2]
    hazard = model.cumulative_hazard([0.0, np.log(3)], [0.75, 10, 11])
    assert hazard[:, :2] == pytest.approx(np.array([[0.075, 1.0], [0.225, 3.0]]))
    assert np.isnan(hazard[:, 2]).all()


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
    photos = {"resolution": 16, "alignment": {"min_face": 8, "covered": "leave out"}}
    photos["projection"] = {"steps": 3, "batch": 8, "face_weight": 0, "precision": "float32"}
    photos["gate"] = {"action": "keep", "psnr_face": None, "landmark_drift": None}
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
        (["photos", "projection", "face_weight"], -1, "photos.projection.face_weight is -1"),
        (["photos", "projection", "face_weight"], ..., "it has no photos.projection.face_weight"),
        (["photos", "projection", "precision"], ["w"], r"photos.projection.precision is \['w'\]"),
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
    with pytest.raises(InputError, match="not a regular file"):
        read_card(tmp_path / "pipe")


def test_networks_come_back_from_a_bundle(sealed):
    path, generator = sealed
    tensors = load_bundle(path).tensors
    assert tensors["face.hazard"].tolist() == [i / 20 for i in range(1, 21)]
    found = load_networks(path, "generator", "trunk", "encoder")
    state = found[0].state_dict()
    assert all(torch.equal(v, state[k]) for k, v in generator.state_dict().items())
    # Of the discriminator, what sees photos for projection; its last block is not bundled.
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
