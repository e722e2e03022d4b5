"""A SLURM cluster of two nodes on this machine, in one folder, gone without a trace afterwards.

Debian's packages slurmctld, slurmd, slurm-client and munge; must be root. In /etc there is but a
link to the settings while the cluster runs, because jobs forget SLURM_CONF; munge has a socket of
its own.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

LINK = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "munged")
SETTINGS = """
ClusterName=facies
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=17000
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1
GresTypes=gpu
# Without cgroups, memory is watched by the accounting of jobs.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MinJobAge=7200
ReturnToService=2
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port=17001 CPUs=16 RealMemory=64000 Gres=gpu:1
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=17002 CPUs=16 RealMemory=64000
PartitionName=gpu Nodes=n1 MaxTime=INFINITE
PartitionName=cpu Nodes=n1,n2 Default=YES MaxTime=INFINITE
"""


def missing() -> str:
    """Why no cluster can be started here, or ''."""
    lacking = [name for name in PROGRAMS if not _path(name)]
    if lacking:
        return f"SLURM is not installed: no {', '.join(lacking)}"
    if LINK.exists():
        return "this machine belongs to a cluster"
    return "" if os.geteuid() == 0 else "only root can start SLURM's daemons"


def _path(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


@contextmanager
def slurm(folder: Path):
    """Environment for sbatch and the like, while the cluster runs; its logs stay in ``folder``."""
    folder.mkdir(parents=True)
    (folder / "state").mkdir()
    host = socket.gethostname().split(".")[0]
    (folder / "slurm.conf").write_text(SETTINGS.format(host=host, folder=folder))
    (folder / "gres.conf").write_text("NodeName=n1 Name=gpu File=/dev/null\n")
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o600)
    environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
    names = {"key-file": "key", "socket": "munge.socket", "pid-file": "munge.pid"}
    names |= {"log-file": "munge.log", "seed-file": "munge.seed"}
    options = [f"--{option}={folder / name}" for option, name in names.items()]
    commands = [["munged", "--foreground", "--force", *options], ["slurmctld", "-D"]]
    commands += [["slurmd", "-D", "-N", "n1"], ["slurmd", "-D", "-N", "n2"]]
    daemons = []
    LINK.unlink(missing_ok=True)
    LINK.symlink_to(folder / "slurm.conf")
    try:
        for command in commands:
            with open(folder / f"{len(daemons)}-{command[0]}.out", "w") as out:
                program = [_path(command[0]), *command[1:]]
                daemons.append(subprocess.Popen(program, env=environment, stdout=out, stderr=out))
            if command[0] == "munged":
                _wait(lambda: (folder / "munge.socket").exists(), "munged")
        _wait(lambda: _idle_nodes(environment) == 2, "the nodes")
        yield environment
    finally:
        # Steps of jobs outlive the daemons that started them.
        subprocess.run(["scancel", "--user=root"], env=environment, check=False)
        time.sleep(2)
        LINK.unlink()
        for daemon in reversed(daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in reversed(daemons):
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _idle_nodes(environment) -> int:
    command = ["sinfo", "--Node", "--noheader", "--partition=cpu", "--format=%T"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return run.stdout.split().count("idle")


def _wait(ready, what, seconds=30):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not start in {seconds} s")
        time.sleep(0.2)
