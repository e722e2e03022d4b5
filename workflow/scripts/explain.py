"""Turn the Cox coefficients into a health direction, and walk faces along it."""

import dataclasses

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from facies.checkpoints import load_generator
from facies.direction import health_direction, walk
from facies.errors import InputError
from facies.jobs import run_job
from facies.pictures import grid

SDS = (3, 2, 1, 0, -1, -2, -3)  # of risk, from ill to healthy
FACES = 6


def coefficients(paths: list[str]) -> np.ndarray:
    """Of every fold that has a model, (folds, num_ws * w_dim)."""
    found = []
    for path in paths:
        with np.load(path, allow_pickle=False) as fit:
            if "coefficients" in fit and np.abs(fit["coefficients"]).max() > 0:
                found.append(fit["coefficients"])
    if not found:
        raise InputError("no fold has a model with coefficients: too few events to explain a face")
    return np.stack(found)


def labelled(sheet: Image.Image, columns: int) -> Image.Image:
    """A strip of pictures under the risk of each column."""
    wide = sheet.width // columns
    picture = Image.new("RGB", (sheet.width, sheet.height + 24), "white")
    picture.paste(sheet, (0, 24))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    for i, sd in enumerate(SDS):
        text = "average" if sd == 0 else f"{sd:+d} SD risk"
        draw.text((wide * (i + 0.5), 12), text, fill="black", font=font, anchor="mm")
    return picture


def main(job):
    with np.load(job.input.latents) as latents:
        codes = latents["codes"].astype(np.float64)
    found = health_direction(coefficients(job.input.fits), codes)
    np.savez(job.output.direction, **dataclasses.asdict(found))
    generator = load_generator(job.input.checkpoint)
    mean = walk(generator, found.mean_code[None], found.step, SDS)
    labelled(grid(mean[0], len(SDS), scale=2), len(SDS)).save(job.output.strip)
    random = torch.Generator().manual_seed(job.params.seed)
    z = torch.randn(FACES, generator.z_dim, generator=random)
    with torch.no_grad():
        faces = generator.mapping(z).numpy()
    # Truncation keeps generated people ordinary (Karras et al. 2019, appendix B).
    faces = found.mean_code + 0.6 * (faces - faces.mean(axis=0))
    walked = walk(generator, faces, found.step, SDS).reshape(-1, *mean.shape[2:])
    labelled(grid(walked, len(SDS), scale=2), len(SDS)).save(job.output.walks)
    print(f"{found.sd_risk:.3f} SD of risk, cosine between folds {found.stability:.3f}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
