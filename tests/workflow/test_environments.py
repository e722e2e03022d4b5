from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LOCK = dict(
    line.lower().split("==") for line in (ROOT / "requirements.lock").read_text().splitlines()
)
RULES = list((ROOT / "rules").glob("*.smk"))


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda p: p.stem)
def test_conda_environment_equals_the_lock(path):
    packages = yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]
    for package in packages:
        name, version = package.split("==")
        assert LOCK[name] == version, package


def test_every_environment_is_used_and_every_used_one_exists():
    named = {part.split('.yaml"')[0] for p in RULES for part in p.read_text().split("envs/")[1:]}
    assert named == {path.stem for path in (ROOT / "envs").glob("*.yaml")}


def test_lock_holds_exact_versions_only():
    assert all(version and "+" not in version for version in LOCK.values())
