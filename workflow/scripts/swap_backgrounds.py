"""Compose photos of test patients of one fold before each other's backgrounds."""

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.common.store import Store, digest, read_manifests, write_manifest
from facies.reliance.swap import blocks_of, name_of
from facies.reliance.views import swap_background


def first_photos(photos, aligned) -> dict[str, str]:
    """The first used photo of every patient."""
    used = photos[photos.photo_id.isin(aligned.photo_id[aligned.used == 1])]
    return used.sort_values("photo_id").groupby("patient_id").photo_id.first().to_dict()


def main(job):
    items = read_manifests(job.input.manifests)
    photo_of = first_photos(read_table(job.input.photos), read_table(job.input.aligned))
    folds = read_table(job.input.folds)
    blocks = blocks_of(folds[folds.repeat == 1], job.params.seed)
    store, shards = Store(job.params.store), [{} for _ in job.output.manifests]
    made = 0
    for number, block in enumerate(blocks):
        keys = [items[photo_of[patient]]["key"] for patient in block["patients"]]
        loaded = [store.load("aligned", key) for key in keys]
        for i, person in enumerate(loaded):
            for j, background in enumerate(loaded):
                key = digest(keys[i], keys[j], job.params.code)
                shard = shards[number % len(shards)]
                shard[name_of(number, i, j)] = {"key": key, "reason": None}
                if not store.has("aligned", key):
                    image = swap_background(person, background)
                    store.save("aligned", key, **person | {"image": image})
                    made += 1
    for path, shard in zip(job.output.manifests, shards, strict=True):
        write_manifest(path, shard)
    write_json(job.output.blocks, blocks)
    print(f"{len(blocks)} blocks, {made} photos composed")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
