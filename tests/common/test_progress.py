import io

from facies.common.progress import Progress


class Screen(io.StringIO):
    def isatty(self):
        return True


def run(capsys, terminal, times):
    clock = iter(times)
    now = [0.0]

    def read():
        return now[0]

    progress = Progress(len(times), "PSNR", terminal, read)
    for seconds, value in zip(clock, range(20, 20 + len(times)), strict=True):
        now[0] = seconds
        progress.add(value)
    return capsys.readouterr().out.splitlines()


def test_a_line_every_half_minute_and_at_the_end(capsys):
    lines = run(capsys, io.StringIO(), [10, 20, 30, 40, 50, 61, 70, 80])
    assert lines == [
        "3/8 photos, 0.10 a second, 0:00:50 left, PSNR 21.00",
        "6/8 photos, 0.10 a second, 0:00:20 left, PSNR 22.50",
        "8/8 photos, 0.10 a second, 0:00:00 left, PSNR 23.50",
    ]


def test_long_jobs_are_told_in_hours(capsys):
    lines = run(capsys, io.StringIO(), [3600.0, 7200.0])
    assert lines[0] == "1/2 photos, 0.00 a second, 1:00:00 left, PSNR 20.00"


def test_a_terminal_gets_a_bar_that_ends_its_line(capsys):
    screen = Screen()
    run(capsys, screen, [1.0, 1.1, 2.0])
    drawn = screen.getvalue().split("\r")[1:]
    assert len(drawn) == 2  # the second came too soon after the first
    assert drawn[0].startswith("[########................] 1/3 photos")
    assert drawn[1].startswith(f"[{'#' * 24}] 3/3 photos") and drawn[1].endswith("\n")


def test_no_bar_where_nobody_watches(capsys):
    nobody = io.StringIO()
    run(capsys, nobody, [1.0, 2.0])
    assert nobody.getvalue() == ""
