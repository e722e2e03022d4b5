import numpy as np
import pytest
import torch

from facies.direction import health_direction, walk
from facies.stylegan2 import Generator


@pytest.fixture
def planted():
    random = np.random.default_rng(0)
    codes = random.normal(size=(500, 6, 8)) * random.uniform(0.5, 2, (6, 8))
    beta = random.normal(size=48)
    folds = beta + 0.05 * random.normal(size=(5, 48))
    return codes, beta, health_direction(folds, codes)


def test_recovers_the_planted_direction_and_its_sign(planted):
    codes, beta, found = planted
    assert found.direction.ravel() @ -beta / np.linalg.norm(beta) > 0.99
    assert np.linalg.norm(found.direction) == pytest.approx(1)
    assert found.stability > 0.98


def test_one_step_lowers_the_risk_by_one_standard_deviation(planted):
    codes, _, found = planted
    beta = found.direction.ravel() * found.risk_per_unit
    assert found.step.ravel() @ beta == pytest.approx(-found.sd_risk)
    assert (codes.reshape(500, -1) @ beta).std() == pytest.approx(found.sd_risk)


def test_walk_starts_at_the_face_itself():
    torch.manual_seed(0)
    generator = Generator(4, 8, 16, 64, 8, mapping_layers=1)
    code = np.random.default_rng(0).normal(size=(2, 6, 8)).astype(np.float32)
    faces = walk(generator, code, np.ones((6, 8)), (1, 0))
    assert faces.shape == (2, 2, 16, 16, 3)
    with torch.no_grad():
        moved = generator.synthesis(torch.from_numpy(code - 1))
    expected = ((moved * 127.5 + 128).clamp(0, 255)).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    assert np.abs(faces[:, 0].astype(int) - expected).max() <= 1
