"""What a run will cost: counts of the work times rates measured elsewhere; estimates, within a
factor of two or three.

The networks' work is counted in floating-point operations of their convolutions. A core does 25
billion a second (the demo on two cores); a GPU is rated as a V100 in the training times
published with StyleGAN2-ADA (1000 kimg in 6.6 hours at 256 pixels, 44 hours at 1024), and never
faster than its launches.
"""

from facies.reliance.swap import MOST, SIZE

CORE, GPU = 25e9, 25e12  # operations a second
LAUNCHES = {"training": 0.1, "projection": 0.02}  # seconds of a step on a GPU, whatever the size
PASSES = {"training": 15, "projection": 3}  # forward passes of the generator that a step is worth
SMALL = 10_000_000  # bytes; the demo's network is of 2 MB, NVIDIA's of 100 and more
PHOTO = 0.06  # core seconds to align a photo
# Core seconds of one fold of 1000 patients; they grow with the square of the number.
FOLD = {"forest": 600, "boosting": 150, "deephit": 150, "coxtime": 150, "cnn": 110}
OTHER_FOLD = 5
HOUR = 3600


def generator_operations(resolution: int, small: bool) -> float:
    """Operations of one image: two 3x3 convolutions at every resolution from 4 pixels on, of
    min(base / pixels, most) channels."""
    base, most = (1024, 64) if small else (16384 if resolution <= 256 else 32768, 512)
    total, pixels = 0.0, 4
    while pixels <= resolution:
        channels = min(base // pixels, most)
        total += 2 * 2 * 9 * channels**2 * pixels**2
        pixels *= 2
    return total


def projected(photos: int, config: dict) -> int:
    """Pictures to project: each photo in each view and under three covers a region, whole by the
    generator of each fold if there is one, and swapped backgrounds."""
    reliance, folds = config["reliance"], config["survival"]["folds"]
    per_fold = config["generator"]["per_fold"]
    passes = 1 + len(config["controls"]) + 3 * len(reliance["cover"]) + folds * per_fold
    swapped = min(folds * MOST * SIZE, photos) * SIZE if reliance["swap"] else 0
    return photos * passes + swapped


def estimate(photos: int, patients: int, checkpoint_bytes: int, config: dict) -> list[dict]:
    """Rows {step, core_hours, gpu_hours}: what it takes on cores alone, and on a GPU (None for
    steps that have no use for one)."""
    survival, generator = config["survival"], config["generator"]
    generators = 1 + survival["folds"] * generator["per_fold"]
    one = generator_operations(config["resolution"], checkpoint_bytes < SMALL)
    steps = {
        "training": (generators * generator["kimg"] * 1000, generator["batch"]),
        "projection": (
            projected(photos, config) * config["projection"]["steps"],
            config["projection"]["batch"],
        ),
    }
    rows = [{"step": "alignment", "core_hours": photos * PHOTO / HOUR, "gpu_hours": None}]
    for name, (images, batch) in steps.items():
        work = images * one * PASSES[name]
        launches = images / batch * LAUNCHES[name]
        rows.append(
            {
                "step": name,
                "core_hours": work / CORE / HOUR,
                "gpu_hours": max(work / GPU, launches) / HOUR,
            }
        )
    repeats = survival["repeats"] + generator["per_fold"]  # its fits are those of one repeat
    folds = survival["folds"] * repeats * len(survival["features"])
    seconds = sum(FOLD.get(model, OTHER_FOLD) for model in survival["models"]) * folds
    seconds += survival["permutations"] * survival["folds"] * OTHER_FOLD
    hours = seconds * (patients / 1000) ** 2 / HOUR
    rows.append({"step": "survival models", "core_hours": hours, "gpu_hours": None})
    return rows
