"""Tuning a generator on a cohort: measured as it learns, stopped and resumed at will.

A tenth of the patients is held out. Every tick the generator is measured against their photos, and
the state with the least Frechet distance to them is kept, not the last one. After each tick the
whole state is written down; a run that was killed goes on from there to the same bytes.
"""

import copy
import dataclasses
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from facies.common.files import write_json
from facies.common.rows import Rows
from facies.common.store import digest
from facies.generator import parallel
from facies.generator.checkpoints import best_device, load_networks, save_networks
from facies.generator.evaluator import GeneratorEvaluator
from facies.generator.perception import Perception
from facies.generator.pictures import grid, sample
from facies.generator.stylegan2 import Encoder
from facies.generator.training import Sampler, Trainer, TrainingSettings, save_state, train

HELD_OUT = 0.1  # share of the patients
TICKS = 20
TEACH_KIMG = 20  # samples that a new encoder sees before it meets photos


@dataclasses.dataclass(frozen=True)
class Tuning:
    """What one run needs, in words and numbers that can be sent to other processes."""

    pretrained: Path
    photos: Path  # npz: `images` uint8 (n, r, r, 3), `photo_ids` and `patient_ids` (n,)
    perception: Path
    settings: TrainingSettings
    kimg: float
    seed: int
    pieces: int
    state: Path
    unseen: tuple[str, ...] = ()  # photo_ids that are not even read
    folder: Path | None = None  # of the outputs


def hold_out(patients: np.ndarray, seed: int) -> np.ndarray:
    """Which photos (n,) belong to the tenth of patients, at least one, that tuning never sees."""
    everybody = np.unique(patients)
    count = max(1, round(HELD_OUT * len(everybody)))
    return np.isin(patients, np.random.default_rng(seed).permutation(everybody)[:count])


class Photos:
    """The photos ``chosen`` (n,) of ``rows``, as the Sampler takes them: uint8 (k, 3, r, r), read
    from disk batch by batch."""

    def __init__(self, rows: Rows, chosen: np.ndarray):
        self.rows, self.chosen = rows, chosen

    def __len__(self):
        return len(self.chosen)

    def __getitem__(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self.rows[self.chosen[rows.numpy()]]).permute(0, 3, 1, 2)


def load_photos(run: Tuning) -> dict[str, Rows | np.ndarray]:
    """The photos that tuning may see and whose they are; the pictures stay on disk."""
    with np.load(run.photos, allow_pickle=False) as file:
        seen = np.flatnonzero(~np.isin(file["photo_ids"], run.unseen))
        names = {name: file[name][seen] for name in ("photo_ids", "patient_ids")}
    return {"images": Rows(run.photos, "images", seen)} | names


class Record:
    """The log so far and the best networks so far; with the trainer, the state of the run."""

    def __init__(self):
        self.rows: list[dict] = []
        self.best: dict[str, dict] = {}

    def add(self, row: dict, trainer: Trainer) -> None:
        """Note a tick; keep its networks when no earlier tick was nearer to the held-out photos."""
        nearest = min((r["frechet"] for r in self.rows), default=np.inf)
        self.rows.append(row)
        if not row["frechet"] >= nearest:  # where nothing can be measured, the last tick counts
            self.best = {k: copy.deepcopy(n.state_dict()) for k, n in trainer.networks().items()}

    def save(self, path: Path, trainer: Trainer) -> None:
        state = {"trainer": trainer.state_dict(), "rows": self.rows, "best": self.best}
        save_state(path, state)

    def load(self, path: Path, trainer: Trainer) -> None:
        state = torch.load(path, map_location=trainer.device, weights_only=True)
        trainer.load_state_dict(state["trainer"])
        self.rows, self.best = state["rows"], state["best"]


def build(run: Tuning) -> Trainer:
    """The networks to start from; a checkpoint of other code has no encoder, and gets a new one."""
    torch.manual_seed(run.seed)
    generator, discriminator, encoder = load_networks(
        run.pretrained, "generator", "discriminator", optional=["encoder"]
    )
    shape = {k: discriminator.settings[k] for k in ("channel_base", "channel_max")}
    size = generator.img_resolution
    start = encoder or Encoder(generator.num_ws, generator.w_dim, size, **shape)
    networks = [n.requires_grad_(True) for n in (generator, discriminator, start)]
    device = best_device()
    trainer = Trainer(*networks, run.settings, device, run.seed, run.pieces)
    if encoder is None and not run.state.exists():
        trainer.teach_encoder(TEACH_KIMG)
    return trainer


def tune_into(kept: Path, run: Tuning, processes: int) -> None:
    """Tune in so many processes; the folder `kept` appears once all outputs are in it."""
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        folder = Path(scratch, "tuned")
        folder.mkdir()
        parallel.launch(tune, processes, dataclasses.replace(run, folder=folder))
        os.replace(folder, kept)
    run.state.unlink()


def tune(run: Tuning) -> None:
    """Tune and write the kept networks, their log, pictures and quality to `run.folder`.

    Called once in each process; the first one measures and writes.
    """
    loaded = load_photos(run)
    photos, patients = loaded["images"], loaded["patient_ids"]
    held = hold_out(patients, run.seed)
    trainer, record = build(run), Record()
    sampler = Sampler(Photos(photos, np.flatnonzero(~held)), run.settings.batch, run.seed)
    resumed = run.state.exists()
    if resumed:
        record.load(run.state, trainer)
    if parallel.rank() > 0:
        for _ in train(trainer, sampler, run.kimg, tick(run)):
            pass
        return
    perception = Perception(run.perception, trainer.device)
    evaluator = GeneratorEvaluator(photos, patients, held, perception, run.seed)
    if not resumed:
        record.add({"kimg": 0.0, "augment_p": 0.0} | evaluator.measure(trainer), trainer)
    for losses in train(trainer, sampler, run.kimg, tick(run)):
        record.add(losses | evaluator.measure(trainer), trainer)
        record.save(run.state, trainer)
        print(
            " ".join(f"{name} {value:.4g}" for name, value in record.rows[-1].items()), flush=True
        )
    for name, network in trainer.networks().items():
        network.load_state_dict(record.best[name])
    write(run, trainer, evaluator, record)


def tick(run: Tuning) -> int:
    """Photos between two measurements."""
    return max(int(run.kimg * 1000 / TICKS), 1)


def write(run: Tuning, trainer: Trainer, evaluator: GeneratorEvaluator, record: Record) -> None:
    """All outputs of the rule; of the photos only numbers."""
    log = pd.DataFrame(record.rows)
    log.to_csv(run.folder / "log.csv", index=False, float_format="%.5g")
    kept = log.frechet.idxmin() if log.frechet.notna().any() else len(log) - 1
    samples = sample(trainer.G_ema, evaluator.count, run.seed)
    grid(samples[:64], columns=16).save(run.folder / "samples.png")
    share = evaluator.memorisation(samples)
    closest = np.argsort(share.distance, kind="stable")[:16]
    nearest = [digest(image.tobytes()) for image in evaluator.photos[share.nearest[closest]]]
    np.savez(run.folder / "closest.npz", samples=samples[closest], photos=nearest)
    quality = {
        "perception": run.perception.name,
        "kept_kimg": log.kimg[kept],
        "patients_held_out": len(np.unique(evaluator.patients[evaluator.held])),
        "photos_held_out": int(evaluator.held.sum()),
        "photos_trained": int((~evaluator.held).sum()),
        "samples": evaluator.count,
        "floor": evaluator.floor(),
        "memorisation": {k: getattr(share, k) for k in ("share", "low", "high", "p")},
    }
    write_json(run.folder / "quality.json", quality)
    card = {"kimg": f"{log.kimg[kept]:g}", "photos": str(quality["photos_trained"])}
    save_networks(run.folder / "generator.safetensors", trainer.networks(), **card)
