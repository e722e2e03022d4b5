import errno
import os
from types import SimpleNamespace

import pytest

from facies.common.errors import InputError
from facies.common.jobs import run_job

PLACES = {"results": "results", "store": "store"}


def job_of(folder, rule="align_photos", inputs=(), outputs=(), **params):
    job = SimpleNamespace(log=[folder / "log"], rule=rule, input=inputs, output=outputs)
    job.params, job.config = params, PLACES
    return job


def stopped(main, job) -> str:
    """The one line that a failed job ends in; the log has the same."""
    with pytest.raises(SystemExit) as stop:
        run_job(main, job)
    assert job.log[0].read_text() == f"{stop.value.code}\n"
    return stop.value.code


def test_words_go_to_the_log(tmp_path):
    run_job(lambda job: print("3 photos"), job_of(tmp_path))
    assert (tmp_path / "log").read_text() == "3 photos\n"


def test_a_file_that_is_not_the_one_of_the_config_is_not_read(tmp_path):
    network = tmp_path / "network.pt"
    network.write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of FIPS 180
    run_job(lambda job: print("run"), job_of(tmp_path, pinned={str(network): known}))
    network.write_bytes(b"abd")
    words = stopped(lambda job: print("run"), job_of(tmp_path, pinned={str(network): known}))
    assert words.startswith(f"align_photos: {network}: not the file that the config means")


def test_any_word_can_be_logged(tmp_path):
    run_job(lambda job: print("Müller \udce9"), job_of(tmp_path))
    assert (tmp_path / "log").read_bytes() == "Müller \\udce9\n".encode()


def test_a_users_mistake_is_one_line(tmp_path):
    def main(job):
        raise InputError("patients.csv: row 3: remedy")

    words = stopped(main, job_of(tmp_path, "check_cohort"))
    assert words == "check_cohort: patients.csv: row 3: remedy"


def test_a_result_that_others_changed_is_not_read(tmp_path):
    result = tmp_path / "folds.csv"
    run_job(lambda job: result.write_text("a,b"), job_of(tmp_path, outputs=[result]))
    reader = job_of(tmp_path, "fit_model", inputs=[tmp_path / "sheet.csv", result])
    run_job(lambda job: print("read"), reader)
    os.utime(result, (0, 0))  # another time alone is no damage
    run_job(lambda job: print("read"), reader)
    result.write_text("a,c")
    words = stopped(lambda job: print("read"), reader)
    assert words.startswith(f"fit_model: {result}: not what the workflow wrote")
    assert words.endswith("delete that, and run again")
    run_job(lambda job: result.write_text("a,b"), job_of(tmp_path, outputs=[result]))
    run_job(lambda job: print("read"), reader)


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full; free some space"), (errno.EROFS, "x.csv cannot be written")],
)
def test_a_disk_that_takes_nothing_is_told_in_one_line(tmp_path, number, words):
    def main(job):
        raise OSError(number, os.strerror(number), "x.csv")

    assert words in stopped(main, job_of(tmp_path))


def test_a_library_that_hides_a_full_disk_is_seen_through(tmp_path, monkeypatch):
    def main(job):
        raise RuntimeError("unexpected position")

    job = job_of(tmp_path, outputs=[tmp_path / "x.npz"])
    with pytest.raises(RuntimeError):
        run_job(main, job)
    assert "Traceback" in job.log[0].read_text()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    assert "the disk is full" in stopped(main, job)


def test_a_disk_without_room_for_the_log_is_told_all_the_same(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full, which takes nothing, on this system")
    job = job_of(tmp_path)
    job.log = ["/dev/full"]
    with pytest.raises(SystemExit) as stop:
        run_job(lambda job: print("3 photos"), job)
    assert stop.value.code.startswith("align_photos: the disk is full")
