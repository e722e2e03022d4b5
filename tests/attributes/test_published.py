"""The networks on four faces of people who do not exist: a woman and a man, younger, then older.

References are the outputs of the package that the weights are from (`benchmarks/attributes.py`).
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from facies.attributes.age_sex import AgeSexEstimator
from facies.attributes.expression import SmileEstimator
from facies.attributes.identity import SAME_PERSON, IdentityDescriptor
from facies.attributes.published import PublishedNetwork, cut, read_weights, same
from facies.common.errors import InputError

HERE = Path(__file__).parent
RESOURCES = HERE.parents[1] / "resources"
FACES = np.stack(np.split(np.asarray(Image.open(HERE / "faces.png")), 4, axis=1))
REFERENCES = json.loads((HERE / "references.json").read_text())
NETWORKS = {"age_sex": AgeSexEstimator, "expression": SmileEstimator}
NETWORKS["identity"] = IdentityDescriptor


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


def network(name):
    return NETWORKS[name](RESOURCES / f"{name}.safetensors")


def test_outputs_are_those_of_the_package(name):
    np.testing.assert_allclose(network(name).predict(FACES), REFERENCES[name], atol=1e-3)


def test_age_and_sex_of_a_young_woman_a_man_an_older_woman_and_an_old_man():
    ages, male = network("age_sex")(FACES)
    assert ages.tolist() == pytest.approx([row[0] for row in REFERENCES["age_sex"]], abs=1e-3)
    assert (np.diff(ages) > 5).all()
    assert (male > 0.5).tolist() == [False, True, False, True]


def test_the_young_woman_smiles_and_the_men_do_not():
    smiling = network("expression")(FACES)
    assert smiling[0] > 0.99 and smiling[1] < 0.01 and smiling[3] < 0.01
    assert np.isfinite(np.log(smiling / (1 - smiling))).all()


def test_a_blurred_photo_is_still_the_same_person_and_the_others_are_not():
    sharp = network("identity")(FACES)
    small = np.stack([np.asarray(Image.fromarray(face).resize((64, 64))) for face in FACES])
    apart = np.linalg.norm(sharp[:, None] - network("identity")(small), axis=2)
    assert np.diag(apart).max() < SAME_PERSON < apart[~np.eye(4, dtype=bool)].min()


@pytest.mark.parametrize("side", [64, 256])
def test_a_crop_shows_the_same_part_at_any_resolution(side):
    across = (torch.arange(side) + 0.5) / side
    photo = torch.stack([across.expand(side, side), across.view(-1, 1).expand(side, side)])
    x, y = cut(photo[None], (0.25, 0.5, 0.4), 40)[0]
    np.testing.assert_allclose(x[0], 0.25 + (np.arange(40) + 0.5) / 100, atol=2e-4)
    np.testing.assert_allclose(y[:, 0], 0.5 + (np.arange(40) + 0.5) / 100, atol=2e-4)


class MeanColour(PublishedNetwork):
    CROP, SIDE = (0, 0, 1), 8

    def __init__(self):
        self.device = "cpu"

    def outputs(self, x):
        return x.mean([2, 3])


def test_photos_beyond_a_batch_keep_their_order_and_colours():
    photos = np.arange(130, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    photos = np.broadcast_to(photos, (130, 16, 16, 3))
    expected = (np.arange(130)[:, None] - [122.782, 117.001, 104.298]) / 255
    np.testing.assert_allclose(MeanColour().predict(photos), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "before", "after"),
    [(7, 3, 1, 1, 1), (8, 3, 2, 0, 1), (7, 3, 2, 1, 1), (8, 1, 2, 0, 0)],
)
def test_the_odd_pixel_of_same_padding_is_behind(size, kernel, stride, before, after):
    padded = same(torch.ones(1, 1, size, size), kernel, stride)[0, 0]
    row = padded[size // 2].tolist()
    assert row == [0] * before + [1] * size + [0] * after


def test_weights_are_bytes_times_scale_plus_offset(tmp_path):
    steps = {"a/filters": {"dtype": "uint8", "scale": 0.5, "min": -1}}
    values = torch.arange(12, dtype=torch.uint8).reshape(1, 2, 3, 2)  # (h, w, in, out)
    plain = torch.tensor([0.25])
    card = {"card": json.dumps({"quantization": steps})}
    save_file({"a/filters": values, "a/bias": plain}, tmp_path / "n.safetensors", card)
    weights = read_weights(tmp_path / "n.safetensors")
    assert weights["a/bias"].tolist() == [0.25]
    assert weights["a/filters"].tolist() == [
        [[[-1, 2]], [[0, 3]], [[1, 4]]],
        [[[-0.5, 2.5]], [[0.5, 3.5]], [[1.5, 4.5]]],
    ]


def test_what_is_no_such_file_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").write_bytes(b"no network")
    for path in (tmp_path / "a.safetensors", tmp_path / "b.safetensors", tmp_path / "c"):
        with pytest.raises(InputError, match=path.name):
            AgeSexEstimator(path)
