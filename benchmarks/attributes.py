"""The face networks of resources/: how they were made, and beside the package they are from.

    npm install --prefix FOLDER @vladmandic/face-api@1.7.15 @tensorflow/tfjs@4.22.0 \
        @tensorflow/tfjs-backend-wasm@4.22.0
    python benchmarks/attributes.py convert           # writes resources/*.safetensors again
    snakemake --cores 1 fetch_teacher
    python benchmarks/attributes.py compare FOLDER    # FOLDER as above
    python benchmarks/attributes.py pairs results/aligned/full.npz

`compare` prints the largest differences on 50 teacher faces. The package runs in Node on
TensorFlow.js's CPU backend, and gets the pictures at its networks' size: it would resize others
without a filter. `reference FOLDER` writes the numbers that the tests expect, `pairs` prints how
many pairs of a cohort's photos have similar descriptors.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from scipy.spatial.distance import pdist

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from facies.attributes.age_sex import AgeSexEstimator
from facies.attributes.expression import SmileEstimator
from facies.attributes.identity import IdentityDescriptor
from facies.attributes.published import cut
from facies.common.rows import Rows
from facies.generator.teacher import Teacher

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests" / "attributes"
SOURCE = "@vladmandic/face-api@1.7.15"  # npm package
SHA256 = "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
# With the name of their weights in the package.
NETWORKS = {
    "age_sex": (AgeSexEstimator, "age_gender"),
    "expression": (SmileEstimator, "face_expression"),
    "identity": (IdentityDescriptor, "face_recognition"),
}
FACES, SEED = 50, 0
LIMITS = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6)


def convert():
    """Write each network's arrays as they are published, with licence and quantisation."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", SOURCE, "--pack-destination", folder]
        subprocess.run(command, check=True)
        package = next(Path(folder).glob("*.tgz")).read_bytes()
    assert hashlib.sha256(package).hexdigest() == SHA256, "not the published package"
    with tarfile.open(fileobj=io.BytesIO(package)) as files:

        def member(name):
            return files.extractfile(f"package/{name}").read()

        licence = member("LICENSE").decode()
        for name, (_, published) in NETWORKS.items():
            manifest = json.loads(member(f"model/{published}_model-weights_manifest.json"))
            entries = manifest[0]["weights"]
            tensors = arrays(entries, member(f"model/{published}_model.bin"))
            steps = {e["name"]: e["quantization"] for e in entries if "quantization" in e}
            card = {"source": SOURCE, "sha256": SHA256, "licence": licence, "quantization": steps}
            # One word of metadata: safetensors writes several in no fixed order.
            save_file(tensors, path(name), {"card": json.dumps(card)})


def arrays(entries: list[dict], data: bytes) -> dict[str, torch.Tensor]:
    """The arrays that lie one after the other in ``data``, quantised or not."""
    tensors, start = {}, 0
    for entry in entries:
        dtype = np.dtype(entry.get("quantization", entry)["dtype"])
        values = np.frombuffer(data, dtype, np.prod(entry["shape"], dtype=int), start)
        tensors[entry["name"]] = torch.from_numpy(values.reshape(entry["shape"]).copy())
        start += values.nbytes
    assert start == len(data)
    return tensors


def path(name: str) -> Path:
    return ROOT / "resources" / f"{name}.safetensors"


@torch.inference_mode()
def compare(folder: str):
    """Print by how much each network's outputs differ from the package's."""
    teacher = Teacher(ROOT / "resources" / "teacher")
    faces = np.stack(list(teacher.faces(teacher.codes(FACES, SEED), side=256)))
    for name, theirs in package_outputs(faces, folder).items():
        network = NETWORKS[name][0](path(name))
        apart = np.abs(network.predict(faces) - theirs).max()
        print(f"{name}: {FACES} outputs differ by {apart:.1e} at most")


def reference(folder: str):
    """Write what the package makes of the faces in tests/attributes."""
    faces = np.asarray(Image.open(TESTS / "faces.png"))
    faces = np.stack(np.split(faces, faces.shape[1] // faces.shape[0], axis=1))
    outputs = {name: x.round(6).tolist() for name, x in package_outputs(faces, folder).items()}
    (TESTS / "references.json").write_text(json.dumps(outputs) + "\n")


def pairs(file: str):
    """Print the share of pairs of aligned photos that are closer than each limit."""
    apart = pdist(IdentityDescriptor(path("identity"))(Rows(file, "images")))
    for limit in LIMITS:
        close = (apart < limit).sum()
        print(f"closer than {limit}: {close} of {len(apart)} pairs, {close / len(apart):.5%}")


def package_outputs(faces: np.ndarray, folder: str) -> dict[str, np.ndarray]:
    """The package's outputs (n, k) for faces uint8 (n, r, r, 3), cut and resized by us."""
    photos = torch.from_numpy(faces.copy()).permute(0, 3, 1, 2).float()
    with tempfile.TemporaryDirectory() as pictures:
        for name, (network, _) in NETWORKS.items():
            small = cut(photos, network.CROP, network.SIDE).permute(0, 2, 3, 1)
            Path(pictures, f"{name}.bin").write_bytes(small.contiguous().numpy().tobytes())
        subprocess.run(["node", Path(__file__).with_suffix(".mjs"), folder, pictures], check=True)
        files = {name: Path(pictures, f"{name}.json") for name in NETWORKS}
        return {name: np.array(json.loads(file.read_text())) for name, file in files.items()}


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    {f.__name__: f for f in (convert, compare, reference, pairs)}[command](*arguments)
