"""Three small cohorts of rendered portraits, and the whole verdict on each without a generator.

In place of codes stand the pixels of the views, which ridge Cox reads as it reads codes: so the
rules meet models that really look at faces, at backgrounds, or at nothing.
"""

from functools import cache

import numpy as np
import pandas as pd
from fits import fold_fit

from facies.demo.portraits import HEALTH, random_portrait, render
from facies.evaluation import comparison
from facies.photos.alignment import crop, crop_labels, ffhq_quad
from facies.photos.regions import BACKGROUND, UNCERTAIN
from facies.reliance import controls, covers, nuisance, swap, verdict
from facies.reliance.views import blend, mask_photo, settle, swap_background
from facies.statistics import bootstrap
from facies.statistics.concordance import concordance
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.designs import ClinicalDesign, PhotoDesign
from facies.survival.folds import assign_folds
from facies.survival.models import MODELS

PATIENTS, SIDE, FOLDS, INNER = 160, 32, 4, 3
RIDGE = MODELS["coxph"]


@cache
def portraits():
    """Crops (n, r, r, 3), regions (n, r, r), quads (n, 4, 2) and the illness (n,) they show."""
    rng = np.random.default_rng(3)
    illness, items = rng.standard_normal(PATIENTS), []
    for z in illness:
        signs = {name: float(np.clip(0.4 + 0.25 * z, 0, 1)) for name in HEALTH}
        picture, regions, points = render(random_portrait(rng, skin_tone=0.2, **signs), 96)
        quad = ffhq_quad(points["eyes"], points["mouth"])
        items.append((crop(picture, quad, SIDE), crop_labels(regions, quad, SIDE, UNCERTAIN), quad))
    return *(np.stack(part) for part in zip(*items, strict=True)), illness


def outcome_of(hazard, seed=5) -> Outcome:
    rng = np.random.default_rng(seed)
    death = rng.exponential(size=len(hazard)) * np.exp(-hazard)
    end = rng.exponential(3.0, len(hazard))
    return Outcome(np.minimum(death, end) + 1e-3, death <= end)


def planted():
    images, regions, quads, illness = portraits()
    return images, regions, quads, outcome_of(1.5 * illness)


def confounded():
    """The same people before walls whose colour carries the hazard, which their faces do not."""
    images, regions, quads, _ = portraits()
    ward = np.random.default_rng(7).standard_normal(len(images))
    walls = np.clip([[130 + 35 * w, 120, 130 - 35 * w] for w in ward], 0, 255).astype(np.uint8)
    before = [
        blend(image, np.broadcast_to(wall, image.shape), settle(own) == BACKGROUND)
        for image, own, wall in zip(images, regions, walls, strict=True)
    ]
    return np.stack(before), regions, quads, outcome_of(1.5 * ward)


def null():
    images, regions, quads, _ = portraits()
    return images, regions, quads, outcome_of(np.zeros(len(images)), seed=11)


def pixels(images):
    return np.reshape(images, (len(images), -1)).astype(float) / 255


def verdict_on(images, regions, quads, outcome) -> dict:
    """What ``judge_reliance`` finds, from pixels."""
    n = len(images)
    ids = np.array([f"{i:03d}" for i in range(n)])
    folds = assign_folds(outcome, FOLDS, 1)
    draws = bootstrap.draw_patients(ids, folds, 1, draws=200)
    fill = images.mean(0).astype(np.uint8)

    def seen(view):
        each = zip(images, regions, range(n), strict=True)
        return pixels([mask_photo(image, own, view, fill, seed) for image, own, seed in each])

    def fit(design):
        """The FoldFit and the coefficients of each fold."""
        made = []
        for fold in range(1, FOLDS + 1):
            train, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            ready = crossval.prepare(design, outcome, train, held, INNER, [1, fold])
            fitted = vars(crossval.fit(design, ready, outcome, RIDGE, [1, fold]))
            own = {"test_ids": ids[held], "test": outcome[held], "train": outcome[train]}
            made.append(fold_fit(fold=fold, **fitted, **own))
        return made, [fit.coefficients for fit in made]

    def score(fits):
        return controls.c_row(fits, controls.c_indices(fits))

    whole, coefficients = fit(PhotoDesign(pixels(images), np.arange(n)))
    found = {"views": {"full": score(whole)}, "covers": [], "swap": None, "edits": None}
    views = {view: fit(PhotoDesign(seen(view), np.arange(n)))[0] for view in ("face", "background")}
    found["views"] |= {view: score(fits) for view, fits in views.items()}
    models = list(zip(whole, coefficients, strict=True))
    for region in ("face", "background"):
        effects = []
        for kind in covers.KINDS:
            change = seen(f"{kind}_{region}") - pixels(images)
            effects.append(
                covers.effect_of_change(models, lambda own, c=change: c[own.astype(int)], draws)
            )
        found["covers"].append(covers.cover_row(region, *effects))
    items = [{"image": i, "regions": r} for i, r in zip(images, regions, strict=True)]
    risks = []
    for block in swap.blocks_of(pd.DataFrame({"patient_id": ids, "fold": folds}), 1):
        own = [items[int(patient)] for patient in block["patients"]]
        composed = pixels([swap_background(a, b) for a in own for b in own])
        risk = composed @ coefficients[block["fold"] - 1]
        sd = whole[block["fold"] - 1].risk_sd
        risks.append((risk / sd).reshape(len(own), -1))
    found["swap"] = swap.variance_shares(np.stack(risks), 1, draws=200)
    found["nuisance"] = nuisances(items, quads, views["face"], fit, ids, draws)
    found["tests"] = verdict.judge(found)
    return found | {"verdict": verdict.overall(found["tests"])}


def nuisances(items, quads, face, fit, ids, draws) -> dict:
    meta = dict.fromkeys(nuisance.ALIGNED, 0) | {"width": 96, "height": 96}
    rows = [
        nuisance.measures(item | {"quad": quad}, meta, 1)
        for item, quad in zip(items, quads, strict=True)
    ]
    table = pd.DataFrame(rows, index=ids)
    known, _ = fit(ClinicalDesign(table))
    gains = []
    for own, other in zip(known, face, strict=True):
        # Beside the nuisance's risk the face's, both in SD of the training patients.
        both = own.test_risk / own.risk_sd + other.test_risk / other.risk_sd
        weights = draws.of(own.test_ids)
        gains.append(
            concordance(own.test, both, weights) - concordance(own.test, own.test_risk, weights)
        )
    gain = comparison.difference(gains, known)
    return {"nuisance": controls.c_row(known, controls.c_indices(known)), "gain": gain}
