"""SLURM's commands as far as submitit calls them: `python fake_slurm.py STATE_FOLDER COMMAND ARGUMENTS`.

Jobs run at once, each in a process group of its own. STATE_FOLDER/ID.pid is that of the running job's step;
`requeue` starts a job again when it has ended.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = ("sbatch", "srun", "scontrol", "sacct")


def install(folder):
    """Write the commands into a folder for PATH."""
    folder.mkdir()
    for name in COMMANDS:
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {folder} {name} "$@"\n')
        path.chmod(0o755)
    return folder


def sbatch(state, script):
    """Start the job, or every job of an array."""
    number = 100 + len([*state.glob("*.sh")])
    text = Path(script).read_text()
    (state / f"{number}.sh").write_text(text)
    array = re.search(r"--array=0-(\d+)", text)
    for task in range(int(array[1]) + 1) if array else [None]:
        begin(state, f"{number}" if task is None else f"{number}_{task}")
    print(f"Submitted batch job {number}")


def begin(state, job):
    """Run a job's script in the background."""
    number, _, task = job.partition("_")
    own = {
        "SLURM_JOB_ID": job.replace("_", "9"),
        "SLURM_NTASKS": "1",
        "SLURM_PROCID": "0",
        "SLURM_LOCALID": "0",
    }
    own |= {"SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0", "SLURM_JOB_NODELIST": "node1", "FAKE_JOB": job}
    own |= {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": task} if task else {}
    with (state / f"{job}.log").open("a") as log:
        command = ["bash", str(state / f"{number}.sh")]
        subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log, start_new_session=True)


def srun(state, *arguments):
    """Run the step; what it says goes where it is told."""
    words, places, job = list(arguments), {}, os.environ["FAKE_JOB"]
    while words[0].startswith("-"):
        flag = words.pop(0)
        if flag in ("--output", "--error"):
            places[flag] = words.pop(0)
    number, _, task = job.partition("_")
    meaning = {"%j": job, "%A": number, "%a": task or "", "%t": "0"}
    named = {flag: re.sub("%[jAat]", lambda found: meaning[found[0]], path) for flag, path in places.items()}
    with Path(named["--output"]).open("a") as out, Path(named["--error"]).open("a") as err:
        process = subprocess.Popen(words, stdout=out, stderr=err)
        (state / f"{job}.pid").write_text(str(process.pid))
        status = process.wait()
    (state / f"{job}.pid").unlink()
    if (state / f"{job}.requeue").exists():
        (state / f"{job}.requeue").unlink()
        begin(state, job)
    sys.exit(status % 256)


def scontrol(state, action, job):
    """Start the job again when its step has ended."""
    assert action == "requeue"
    (state / f"{job}.requeue").touch()


def sacct(state, *arguments):
    """The state of every job."""
    print("JobID|State|NodeList")
    for log in state.glob("*.log"):
        running = (state / f"{log.stem}.pid").exists() or (state / f"{log.stem}.requeue").exists()
        fresh = time.time() - log.stat().st_mtime < 2
        print(f"{log.stem}|{'RUNNING' if running or fresh else 'COMPLETED'}|node1")


if __name__ == "__main__":
    globals()[sys.argv[2]](Path(sys.argv[1]), *sys.argv[3:])
