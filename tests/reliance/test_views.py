import numpy as np
import pytest

from facies.photos.regions import BACKGROUND, BODY, FACE, SURROUND, UNCERTAIN
from facies.reliance.views import inpaint, mask_photo, roll, settle, swap_background

SIDE = 64
MARGIN = 6  # pixels within which a border may be anything


@pytest.fixture
def item():
    """Bands of background, face and body, 20 pixels each, and four uncertain rows between."""
    regions = np.full((SIDE, SIDE), UNCERTAIN, np.uint8)
    regions[:20], regions[22:42], regions[44:] = BACKGROUND, FACE, BODY
    return {"image": np.full((SIDE, SIDE, 3), 200, np.uint8), "regions": regions}


FILL = np.full((SIDE, SIDE, 3), 40, np.uint8)


def mask(item, view, seed=0):
    return mask_photo(item["image"], item["regions"], view, FILL, seed)[:, 0, 0]


def test_a_view_shows_its_region_and_nothing_else(item):
    seen = mask(item, "face")
    assert (seen[22 + MARGIN : 42 - MARGIN] == 200).all()
    assert (seen[:20] == 40).all() and (seen[44:] == 40).all()
    assert (mask(item, "surround") == 40).all()  # there is none


def test_what_is_hidden_cannot_be_read(item):
    for view, seen in (
        ("face", item["regions"] == FACE),
        ("without_face", item["regions"] != FACE),
        ("inpainted_face", item["regions"] != FACE),
    ):
        hidden = ~seen & (item["regions"] != UNCERTAIN)
        other = item | {"image": np.where(hidden[..., None], 7, item["image"]).astype(np.uint8)}
        assert np.array_equal(mask(item, view), mask(other, view))


def test_a_cover_hides_its_region_and_a_random_one_as_much(item):
    covered = mask(item, "without_face")
    assert (covered[22:42] == 40).all()
    assert (covered[: 22 - MARGIN] == 200).all() and (covered[42 + MARGIN :] == 200).all()
    hidden = settle(item["regions"]) == FACE
    assert all(roll(hidden, seed).sum() == hidden.sum() for seed in range(5))
    assert not np.array_equal(roll(hidden, 1), roll(hidden, 2))
    assert np.array_equal(mask(item, "random_face", 3), mask(item, "random_face", 3))


def test_an_inpainted_region_is_guessed_from_around_it(item):
    item["image"][item["regions"] == FACE] = 0
    seen = mask(item, "inpainted_face")
    assert np.abs(seen.astype(int) - 200).max() <= 4
    assert (mask(item, "inpainted_surround") == item["image"][:, 0, 0]).all()


def test_a_silhouette_knows_the_outline_alone(item):
    other = item | {"image": 255 - item["image"]}
    assert np.array_equal(mask(item, "silhouette"), mask(other, "silhouette"))
    assert set(mask(item, "silhouette")) == {96, 160}


def test_uncertain_pixels_go_to_the_nearest_region():
    regions = np.array([[FACE, UNCERTAIN, UNCERTAIN, UNCERTAIN, SURROUND]], np.uint8)
    assert settle(regions)[0, [0, 1, 3, 4]].tolist() == [FACE, FACE, SURROUND, SURROUND]
    assert (settle(np.full((3, 3), UNCERTAIN, np.uint8)) == BACKGROUND).all()


def test_a_person_stands_before_anothers_background(item):
    other = item | {"image": np.full_like(item["image"], 90)}
    both = swap_background(item, other)[:, 0, 0]
    assert (both[: 20 - MARGIN] == 90).all()
    assert (both[20 + MARGIN :] == 200).all()


def test_what_lies_behind_a_person_is_guessed_from_around():
    image = np.full((SIDE, SIDE, 3), 120, np.uint8)
    hole = np.zeros((SIDE, SIDE), bool)
    hole[20:40, 20:40] = True
    image[hole] = 0
    assert np.abs(inpaint(image, hole).astype(int) - 120).max() <= 4
    large = np.random.default_rng(0).integers(0, 255, (160, 160, 3), dtype=np.uint8)
    hole = np.zeros((160, 160), bool)
    hole[41:99, 33:110] = True
    other = np.where(hole[..., None], 255 - large, large)
    assert np.array_equal(inpaint(large, hole), inpaint(other, hole))  # not what hides it
    assert (inpaint(image, np.ones_like(hole)) == 128).all()
