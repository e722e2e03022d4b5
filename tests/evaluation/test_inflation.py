import pytest

from facies.evaluation.inflation import thirds_inflation


def test_comparisons_of_thirds_bear_a_share_of_the_inflation():
    found = [thirds_inflation(2.25, name) for name in ("all", "medium", "high")]
    assert found == pytest.approx([1.5, 1.25, 1.75])
    assert thirds_inflation(1.0, "all") == 1
