from types import SimpleNamespace

import numpy as np
import pytest
import torch

import embed_photos
from facies.generator.checkpoints import save_networks
from facies.generator.stylegan2 import Discriminator
from facies.projection import embedding


def test_channels_are_divided_by_their_length_and_averaged_over_places():
    # Two places: (3, 4) has length 5, (0, 2) has length 2.
    block = torch.tensor([[[[3.0, 0.0]], [[4.0, 2.0]]]])
    found = embedding.pooled([block, 10 * block])
    # The means of .6 and 0, and of .8 and 1; the other block is as bright as it likes.
    assert found.numpy() == pytest.approx(np.array([[0.3, 0.9, 0.3, 0.9]]), abs=1e-6)


def test_photos_keep_their_order_over_batches(tmp_path, monkeypatch):
    torch.manual_seed(0)
    network = Discriminator(32, channel_base=128, channel_max=16)
    save_networks(tmp_path / "net.safetensors", {"discriminator": network})
    images = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), np.uint8)
    names = np.array(list("abcdefg"))
    found = []
    for batch, rows in ((3, slice(None)), (32, slice(None, None, -1))):
        monkeypatch.setattr(embed_photos, "at_once", lambda _, batch=batch: batch)
        np.savez(tmp_path / "full.npz", photo_ids=names[rows], images=images[rows])
        job = SimpleNamespace(
            threads=1,
            input=SimpleNamespace(
                aligned=tmp_path / "full.npz", checkpoint=tmp_path / "net.safetensors"
            ),
            output=SimpleNamespace(features=tmp_path / "out.npz"),
        )
        embed_photos.main(job)
        found.append(dict(np.load(tmp_path / "out.npz")))
    assert found[0]["photo_ids"].tolist() == found[1]["photo_ids"].tolist()[::-1]
    np.testing.assert_allclose(found[0]["features"], found[1]["features"][::-1], atol=1e-6)
    assert np.ptp(found[0]["features"], axis=0).max() > 1e-3  # photos differ
