"""Each rule's job runs in the environment that the rule names, made by conda from its file.

The channel is a folder with two stand-ins. ``python`` is this interpreter, which finds the packages
that are installed here; ``pip`` is empty. So conda solves, links and activates, and pip looks
whether the versions of the file are those that are installed; nothing is downloaded.
"""

import io
import json
import re
import shutil
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest
import yaml
from tiny import ROOT, copy_workflow, snakemake

from facies.common.store import file_digest

PINS = {"python": "3.11.7", "pip": "25.3"}
LIBRARY = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
# As Python starts: which rule's script is to run, and where this Python is at home.
TELL = """import os, re, sys; \
rule = re.search(r"scripts/tmp[^.]*[.](\\w+)[.]py$", sys.orig_argv[-1]); \
rule and open(os.environ["TOLD"], "a").write(f"{rule[1]} {sys.prefix}\\n")
"""


def write_package(channel: Path, name: str, files: dict[str, str], links: dict[str, str]) -> dict:
    """A package of ``files`` and symbolic ``links`` by path, and its entry for the index."""
    entry = {"name": name, "version": PINS[name], "build": "0", "build_number": 0}
    entry |= {"depends": [], "subdir": channel.name}
    path = channel / f"{name}-{PINS[name]}-0.tar.bz2"
    about = {"info/index.json": json.dumps(entry), "info/files": "\n".join([*files, *links])}
    with tarfile.open(path, "w:bz2") as archive:
        for place, text in (about | files).items():
            item = tarfile.TarInfo(place)
            item.size = len(text.encode())
            archive.addfile(item, io.BytesIO(text.encode()))
        for place, target in links.items():
            item = tarfile.TarInfo(place)
            item.type, item.linkname = tarfile.SYMTYPE, target
            archive.addfile(item)
    size = path.stat().st_size
    return {path.name: entry | {"sha256": file_digest(path), "size": size}}


def write_channel(channel: Path) -> None:
    """conda-forge, as far as the environments need it."""
    folder = channel / "noarch"
    folder.mkdir(parents=True)
    home = Path(sys.base_prefix, "bin")
    files = {
        "pyvenv.cfg": f"home = {home}\n",
        f"{LIBRARY}/installed.pth": sysconfig.get_path("purelib") + "\n",
        f"{LIBRARY}/tell.pth": TELL,
    }
    packages = write_package(folder, "python", files, {"bin/python": f"{home}/python3"})
    packages |= write_package(folder, "pip", {}, {})
    (folder / "repodata.json").write_text(json.dumps({"packages": packages}))


def environments() -> dict[str, str]:
    """By rule, the file of its environment."""
    text = "".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    found = re.findall(r'^rule (\w+):.*?envs/(\w+)\.yaml"', text, re.MULTILINE | re.DOTALL)
    return {rule: (ROOT / f"envs/{name}.yaml").read_text() for rule, name in found}


def test_every_job_runs_in_the_environment_of_its_rule(tmp_path):
    if not shutil.which("conda"):
        pytest.skip("conda is not installed")
    write_channel(tmp_path / "channels/conda-forge")
    settings = {"channel_alias": f"file://{tmp_path}/channels", "channels": ["conda-forge"]}
    settings |= {"channel_priority": "strict", "pkgs_dirs": [f"{tmp_path}/pkgs"]}
    (tmp_path / "condarc").write_text(yaml.safe_dump(settings))
    copy = tmp_path / "copy"
    copy.mkdir()
    copy_workflow(copy)
    environment = {"CONDARC": f"{tmp_path}/condarc", "TOLD": f"{tmp_path}/told"}
    environment |= {"PIP_NO_INDEX": "1", "CONDA_PKGS_DIRS": f"{tmp_path}/pkgs"}
    run = snakemake(copy, "all", "bundle", "--sdm", "conda", **environment)
    assert run.returncode == 0, run.stdout + run.stderr
    told = {tuple(line.split()) for line in (tmp_path / "told").read_text().splitlines()}
    for rule, prefix in told:
        assert Path(prefix).parent == copy / ".snakemake/conda"
        assert Path(f"{prefix}.yaml").read_text() == environments()[rule]
    assert len({prefix for _, prefix in told}) == 4
