"""Fifteen damaged files, read by the commands that read such files."""

from commands import call


def test_damaged_files_end_in_words(tmp_path):
    small = ("--cases", "15", "--seed", "1", "--width", "160")
    done = call("tools/trials/fuzz.py", "--bench", str(tmp_path / "bench"), *small, path=("tools/trials",))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert "| all | 15 |" in done.stdout
