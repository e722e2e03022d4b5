"""A figure of what the controls show the model: photos, views, covers and swapped backgrounds."""

import numpy as np
from PIL import Image

from facies.common.store import Store
from facies.generator.pictures import grid

EXAMPLES = 6


def example_sheet(store: Store, views: dict[str, dict], composed: dict) -> Image.Image:
    """A row of photos as they are, then the same in each other of ``views``, last composed ones.

    ``views`` holds the items (key, reason) of photos by view, ``full`` among them, and ``composed``
    those of composed photos, if any.
    """
    usable = sorted(photo for photo, item in views["full"].items() if not item["reason"])[:EXAMPLES]
    chosen = [items[photo] for items in views.values() for photo in usable]
    chosen += [item for _, item in sorted(composed.items())][: 2 * EXAMPLES]
    images = [store.load("aligned", item["key"])["image"] for item in chosen]
    return grid(np.stack(images), len(usable))
