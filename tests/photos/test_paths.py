import os
import unicodedata

from facies.photos.paths import photo_file


def test_a_name_in_another_unicode_form_is_found(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "Müller/ä.jpg") for form in ("NFC", "NFD"))
    folder, name = os.path.split(decomposed)
    (tmp_path / folder).mkdir()
    (tmp_path / folder / name).write_text("x")
    assert photo_file(tmp_path, composed) == tmp_path / decomposed
    assert photo_file(tmp_path, decomposed) == tmp_path / decomposed
    assert photo_file(tmp_path, "none/x.jpg") == tmp_path / "none/x.jpg"


def test_the_very_name_comes_first(tmp_path):
    for form in ("NFC", "NFD"):
        (tmp_path / unicodedata.normalize(form, "ä.jpg")).write_text(form)
    for form in ("NFC", "NFD"):
        assert photo_file(tmp_path, unicodedata.normalize(form, "ä.jpg")).read_text() == form
