from types import SimpleNamespace

import pytest

from facies.errors import InputError
from facies.jobs import run_job


def test_words_go_to_the_log(tmp_path):
    job = SimpleNamespace(log=[tmp_path / "log"], rule="align_photos")
    run_job(lambda job: print("3 photos"), job)
    assert (tmp_path / "log").read_text() == "3 photos\n"


def test_a_users_mistake_is_one_line(tmp_path):
    def main(job):
        raise InputError("patients.csv: row 3: remedy")

    job = SimpleNamespace(log=[tmp_path / "log"], rule="check_cohort")
    with pytest.raises(SystemExit) as stop:
        run_job(main, job)
    assert stop.value.code == "check_cohort: patients.csv: row 3: remedy"
    assert (tmp_path / "log").read_text() == "check_cohort: patients.csv: row 3: remedy\n"
