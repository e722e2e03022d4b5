"""Align a shard's photos that the store does not hold yet."""

import json
from pathlib import Path

from facies.cohort.spreadsheets import read_sheet
from facies.common.errors import InputError
from facies.common.jobs import run_job
from facies.common.store import Store, digest, file_digest, shard_of, write_manifest
from facies.photos.alignment import AlignmentSettings, Unusable, align_photo
from facies.photos.detection import FaceDetector
from facies.photos.images import check_file, read_photo
from facies.photos.paths import photo_file


def align(path: Path, detector: FaceDetector, settings: AlignmentSettings) -> dict:
    """What the store keeps of a photo: its crop, or the reason why there is none.

    Another alignment is another `align_photo`, which gives an Aligned or raises Unusable.
    """
    try:
        photo = read_photo(path)
        aligned = align_photo(photo.pixels, detector, settings)
    except (InputError, Unusable) as reason:
        return {"meta": json.dumps({"reason": str(reason)})}
    quality = {name: round(value, 5) for name, value in aligned.quality.items()}
    return {
        "image": aligned.image,
        "regions": aligned.regions,
        "landmarks": aligned.landmarks,
        "quad": aligned.quad,
        "meta": json.dumps({"reason": None} | quality | {"colour_profile": photo.profile}),
    }


def key_of(path: Path, *made_by) -> str:
    """What cannot be read has a key as well: the reason is remembered until that changes."""
    try:
        check_file(path)
        return digest(file_digest(path), *made_by)
    except (InputError, OSError) as error:
        return digest(type(error).__name__, str(error), *made_by)


def main(job):
    settings = AlignmentSettings(resolution=job.params.resolution, **job.params.settings)
    photos = read_sheet(job.params.photos, ["photo_id", "path"])
    shards = photos.photo_id.map(lambda photo: shard_of(photo, job.params.shards))
    models = [file_digest(path) for path in job.input.detector]
    detector = FaceDetector(Path(job.input.detector[0]).parent)
    store, items = Store(job.params.store), {}
    made_by = (models, job.params.settings, job.params.resolution, job.params.code)
    for photo in photos[shards == int(job.wildcards.shard)].itertuples():
        path = photo_file(job.params.folder, photo.path)
        key = key_of(path, *made_by)
        if not store.has("aligned", key):
            store.save("aligned", key, **align(path, detector, settings))
        meta = json.loads(str(store.load("aligned", key, "meta")["meta"]))
        items[photo.photo_id] = {"key": key, "reason": meta["reason"]}
    left_out = sum(item["reason"] is not None for item in items.values())
    print(f"{len(items)} photos, {left_out} left out")
    write_manifest(job.output.manifest, items)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
