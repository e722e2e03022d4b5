import json

import numpy as np

from facies.common.files import write_json


def test_json_has_no_nan(tmp_path):
    write_json(tmp_path / "x.json", {"a": [np.float64("nan"), 1.5]})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": [None, 1.5]}
