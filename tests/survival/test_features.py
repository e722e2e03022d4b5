from facies.survival.features import FEATURES, FUSIONS, SINGLE, feature_sets
from facies.survival.models import MODELS


def test_only_what_a_generator_made_changes_with_it():
    sets = FEATURES | FUSIONS
    assert {name for name, features in sets.items() if features.by_generator} == {
        *("face", "discriminator", "stack", "joint", "average")
    }


def test_fused_features_are_those_of_the_fusion():
    assert feature_sets("joint")["fused"].array == "codes"
    stack, average = (feature_sets(name)["fused"] for name in ("stack", "average"))
    assert len(stack.inputs) == 1 and len(average.inputs) == 2 and not stack.array
    # The clinical model knows of no generator.
    assert [path.split("/")[1] for path in average.inputs] == ["{generator}", "cohort"]
    assert all(fusion.clinical for fusion in FUSIONS.values())


def test_models_with_one_row_and_sets_to_compare_with_are_there():
    assert set(SINGLE) <= set(MODELS)
    for features in FEATURES.values():
        assert set(features.compared_with) <= set(FEATURES)
