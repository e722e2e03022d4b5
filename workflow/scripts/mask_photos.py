"""Hide a part of a shard's aligned photos, those that the store does not hold yet."""

import numpy as np
from PIL import Image

from facies.common.jobs import run_job
from facies.common.store import Store, digest, file_digest, read_manifests, write_manifest
from facies.reliance.views import mask_photo


def main(job):
    view, store = job.wildcards.view, Store(job.params.store)
    items = read_manifests([job.input.aligned])
    fill = np.asarray(Image.open(job.input.fill).convert("RGB"))
    made_by = (view, file_digest(job.input.fill), job.params.code)
    masked, made = {}, 0
    for photo_id, aligned in items.items():
        masked[photo_id] = aligned
        if aligned["reason"] is not None:
            continue
        key = digest(aligned["key"], *made_by)
        masked[photo_id] = aligned | {"key": key}
        if not store.has("aligned", key):
            item = store.load("aligned", aligned["key"])
            seed = int(aligned["key"][:8], 16)
            image = mask_photo(item["image"], item["regions"], view, fill, seed)
            store.save("aligned", key, **item | {"image": image})
            made += 1
    print(f"{made} of {len(items)} photos masked")
    write_manifest(job.output.manifest, masked)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
