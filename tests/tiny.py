"""A cohort of 24 portraits and a copy of the workflow that can run on it in seconds."""

import shutil

import numpy as np
import pandas as pd
import torch
import yaml
from launch import ROOT as ROOT
from launch import copy_code, job_stats, launch
from PIL import Image

from facies.demo.people import pretraining_portraits
from facies.demo.portraits import render
from facies.generator.checkpoints import save_networks
from facies.generator.stylegan2 import Discriminator, Encoder, Generator

SMALL = {"channel_base": 128, "channel_max": 16}
PATIENTS = 24
SURVIVAL = {"models": ["coxph"], "folds": 2, "inner_folds": 2, "permutations": 3}


def snakemake(folder, *arguments, **environment):
    options = ["--cores=2", "--configfile=tiny.yaml"]
    return launch(folder, [*arguments, *options], environment)


def planned(folder, *arguments) -> dict[str, int]:
    """Jobs per rule that a run would do."""
    run = snakemake(folder, "--dry-run", *arguments)
    assert run.returncode == 0, run.stdout + run.stderr
    return job_stats(run.stdout + run.stderr)


def write_cohort(folder):
    """24 own photos; one is damaged, one is a copy, one patient has no outcome."""
    (folder / "photos").mkdir()
    for i, portrait in enumerate(pretraining_portraits(999, PATIENTS)):
        Image.fromarray(render(portrait, 160)[0]).save(folder / "photos" / f"{i}.jpg")
    (folder / "photos" / "5.jpg").write_bytes(b"not a picture")
    shutil.copy(folder / "photos" / "8.jpg", folder / "photos" / "10.jpg")
    random = np.random.default_rng(0)
    ids = [f"{i:03d}" for i in range(PATIENTS)]
    photos = {"photo_id": ids, "patient_id": ids, "path": [f"{i}.jpg" for i in range(PATIENTS)]}
    pd.DataFrame(photos).to_csv(folder / "photos.csv", index=False)
    times = random.exponential(10, PATIENTS).round(1) + 0.1
    patients = pd.DataFrame({"patient_id": ids, "months": times, "event": 1})
    patients.loc[::3, "event"] = 0
    patients["age"] = random.integers(40, 80, PATIENTS)
    patients.loc[7, "months"] = -1
    patients.to_csv(folder / "patients.csv", index=False)


def write_config(folder, **changes):
    config = {
        "resolution": 32,
        "cohort": {
            "photos": "photos.csv",
            "patients": "patients.csv",
            "folder": "photos",
            "time": "months",
            "clinical": ["age"],
            "shards": 2,
            "demo": None,
        },
        "generator": {"pretrained": "start.safetensors", "kimg": 0.05, "batch": 8},
        # An untrained generator draws no faces: none would pass.
        "projection": {"steps": 3, "batch": 8, "gate": {"action": "keep"}},
        "survival": SURVIVAL,
        # One projection of every photo: what the others cost, their own tests pay.
        "controls": [],
        "reliance": {"cover": [], "swap": False},
        "report": {"title": "Tiny", "patient_photos": False},
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config | changes))


def copy_workflow(folder):
    """The workflow with the tiny cohort, ready to run in ``folder``."""
    copy_code(folder)
    write_cohort(folder)
    write_config(folder)
    torch.manual_seed(0)
    generator = Generator(8, 16, 32, mapping_layers=2, **SMALL)
    networks = {"generator": generator, "discriminator": Discriminator(32, **SMALL)}
    networks["encoder"] = Encoder(generator.num_ws, 16, 32, **SMALL)
    save_networks(folder / "start.safetensors", networks)
