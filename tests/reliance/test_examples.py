"""The figure of views and covers."""

import numpy as np

from facies.common.store import Store
from facies.generator.pictures import TILE
from facies.reliance.examples import EXAMPLES, example_sheet


def test_photos_stand_above_themselves_in_other_views(tmp_path):
    store = Store(tmp_path)
    views = {"full": {}, "face": {}}
    for view, shade in (("full", 10), ("face", 200)):
        for i in range(8):
            key, reason = f"{view}{i}", "no face found" if i == 0 else None
            views[view][f"p{i}"] = {"key": key, "reason": reason}
            store.save("aligned", key, image=np.full((4, 4, 3), shade + i, np.uint8))
    sheet = np.asarray(example_sheet(store, views, {"0-0-0": views["full"]["p7"]}))
    tiles = sheet[TILE // 2 :: TILE, TILE // 2 :: TILE, 0].tolist()
    assert tiles[0] == list(range(11, 11 + EXAMPLES))  # without the unusable one
    assert tiles[1] == list(range(201, 201 + EXAMPLES))
    assert tiles[2] == [17] + [255] * (EXAMPLES - 1)
