"""Files out of a wheel."""

import zipfile

import pytest

from facies.common.errors import InputError
from facies.common.store import file_digest
from facies.common.wheels import unpack


def test_only_the_published_wheel_is_unpacked(tmp_path):
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("package/data/net.bin", b"numbers")
        archive.writestr("package/__init__.py", b"code")
    target = tmp_path / "target"
    target.mkdir()
    unpack(wheel, file_digest(wheel), ["package/data/net.bin"], target)
    assert [(path.name, path.read_bytes()) for path in target.iterdir()] == [
        ("net.bin", b"numbers")
    ]
    with pytest.raises(InputError, match=r"a.whl is not the published file \(wrong SHA-256\)"):
        unpack(wheel, "0" * 64, ["package/data/net.bin"], target)
