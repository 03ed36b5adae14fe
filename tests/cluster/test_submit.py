"""`ray up`, `ray submit` and `ray job submit`, as a person calls them, against an ssh server on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from storage.ledger.cell_records import cell_records
from storage.ledger.ledger import Ledger
from tests.cluster.loopback import ROOT, SPEC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
BIN = Path(sys.executable).parent
SECONDS = 500


@dataclass(frozen=True)
class Head:
    """A head node behind ssh.

    Attributes:
        folder: Home of the ssh user, and what Ray keeps.
        cluster: The YAML that `ray up` was called with.
        dashboard: Its port, for jobs.
    """

    folder: Path
    cluster: Path
    dashboard: int

    def ray(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One call of the command line `ray`, by a person whose home this is."""
        return call([str(BIN / "ray"), *arguments], self.folder)

    def spec(self, name: str) -> tuple[str, str]:
        """Write the spec of a study of two cells; its file, and the URL of its database."""
        place = self.folder / name
        place.mkdir()
        file = place / "clustered.toml"
        file.write_text(SPEC.format(ratios=[0.5, 1.0], budget=30, place=place))
        return str(file), f"sqlite:///{place}/study.db"


def call(command: Sequence[str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run it with another home."""
    return subprocess.run(
        command,
        env={k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "RAY_ADDRESS"}}
        | {"HOME": str(home), "RAY_AUTH_MODE": "token", "PATH": f"{BIN}:{os.environ['PATH']}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home of its own, with a short name: Ray's sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="dc-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / ".profile").write_text(f"export PATH={BIN}:$PATH PYTHONPATH={ROOT}\n")
        yield Path(folder)


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """Chosen together, so that they differ."""
    return dict(zip(("ssh", "gcs", "dashboard", "agent"), free_ports(4), strict=True))


@pytest.fixture(scope="module")
def ssh(home: Path, ports: dict[str, int]) -> Iterator[dict[str, str]]:
    """An ssh server of our own on loopback; what `auth` in the YAML must say."""
    if SSHD is None or shutil.which("rsync") is None:
        pytest.skip("needs sshd and rsync: apt-get install openssh-server rsync")
    Path("/run/sshd").mkdir(exist_ok=True) if os.geteuid() == 0 else None
    for name in ("host", "person"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)], check=True)
    port = ports["ssh"]
    settings = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": home / "host",
        "AuthorizedKeysFile": home / "person.pub",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "yes",
        "SetEnv": f"HOME={home}",
        "ForceCommand": f'cd {home} && exec bash -c "$SSH_ORIGINAL_COMMAND"',
    }
    (home / "sshd_config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    server = subprocess.Popen([SSHD, "-D", "-E", str(home / "sshd.log"), "-f", str(home / "sshd_config")])
    through = home / "through"  # Ray speaks to port 22 alone
    through.write_text(f"#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/{port}\ncat <&3 &\ncat >&3\nkill $!\n")
    through.chmod(0o755)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    yield {"ssh_user": user, "ssh_private_key": str(home / "person"), "ssh_proxy_command": str(through)}
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def head(home: Path, ssh: dict[str, str], ports: dict[str, int]) -> Iterator[Head]:
    """The example for machines of one's own, with this machine in it, started by `ray up`."""
    cluster: dict[str, Any] = yaml.safe_load((ROOT / "docs/cluster/local.yaml").read_text())
    cluster["provider"]["head_ip"] = "127.0.0.1"
    cluster["auth"] = ssh
    (start,) = cluster["head_start_ray_commands"]
    options = f"--dashboard-port={ports['dashboard']} --dashboard-agent-listen-port={ports['agent']} --num-cpus=2"
    start = start.replace("--port=6379", f"--port={ports['gcs']} {options} --object-store-memory={80 * 2**20}")
    cluster["head_start_ray_commands"] = [f"{start} --temp-dir={home}/ray"]
    file = home / "cluster.yaml"
    file.write_text(yaml.safe_dump(cluster))
    found = Head(home, file, ports["dashboard"])
    try:
        token = found.ray("get-auth-token", "--generate")
        assert token.returncode == 0, token.stderr
        up = found.ray("up", "-y", "--no-config-cache", str(file))
        assert up.returncode == 0, up.stdout + up.stderr + (home / "sshd.log").read_text()
        with (home / ".profile").open("a") as profile:  # "auto" would find any cluster of this machine
            profile.write(f"export RAY_ADDRESS=127.0.0.1:{ports['gcs']} RAY_AUTH_MODE=token\n")
        yield found
    finally:
        end_processes_of(home)


def test_ray_submit_runs_a_study(head: Head) -> None:
    """From the example YAML: the study is finished, its answer comes back, and the exit code is 0."""
    spec, url = head.spec("submitted")
    done = head.ray("submit", str(head.cluster), "submit.py", "--", "run", spec, "--storage", url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Recommended" in done.stdout or "rank depth" in done.stdout
    assert_finished(url)


def test_ray_submit_passes_an_error_on(head: Head) -> None:
    """A spec that is wrong: the message comes back, and the exit code is not 0."""
    done = head.ray("submit", str(head.cluster), "submit.py", "--", "run", "no-such-preset")
    assert done.returncode != 0
    assert "no preset 'no-such-preset'" in done.stdout + done.stderr


def test_a_job_runs_a_study(head: Head) -> None:
    """`ray job submit` from the repository: what Ray copies is what runs; the study is finished, the exit code is 0."""
    spec, url = head.spec("job")
    done = job(head, "run", spec, "--storage", url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_finished(url)


def test_a_job_does_not_write_where_it_is_lost(head: Head) -> None:
    """The default database would lie in Ray's copy of the working folder: refused, with the remedy."""
    spec, _ = head.spec("lost")
    done = job(head, "run", spec)
    assert done.returncode != 0
    assert "in a folder of Ray's that is removed after the job" in done.stdout + done.stderr
    assert "dicecurve database start DIR" in done.stdout + done.stderr


def test_a_job_does_not_show_a_password(head: Head) -> None:
    """A URL with a password on the command line of a job, which Ray lists: refused."""
    done = job(head, "run", "phantom", "--storage", "postgresql://ana:geheim@127.0.0.1:1/d")
    assert done.returncode != 0
    assert "the URL in --storage holds a password" in done.stdout + done.stderr


def job(head: Head, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Submit a job, and wait for its end."""
    address = f"http://127.0.0.1:{head.dashboard}"
    command = ("python", "-m", "studies", *arguments)
    return head.ray("job", "submit", "--address", address, "--working-dir", ".", "--", *command)


def assert_finished(url: str) -> None:
    """Both cells are done, under one attempt each."""
    with Ledger.open(url) as ledger:
        study = ledger.find_study("clustered")
        assert study is not None
        records = cell_records(ledger, study.study_id)
    assert len(records) == 2
    assert all(not r.cell.state.is_open and r.attempt.failure is None and r.cell.claims == 1 for r in records)


def free_ports(number: int) -> list[int]:
    """Ports that nobody uses now, below those that Ray gives its workers (10002 to 19999)."""
    found: list[int] = []
    candidate = 6400 + os.getpid() % 2000
    while len(found) < number:
        candidate += 1
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", candidate))
            found.append(candidate)
    return found


def end_processes_of(folder: Path) -> None:
    """End the processes whose command line names this folder, and no others."""
    for _ in range(3):
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if f"{folder}/" in path.read_text(errors="replace"):
                    os.kill(int(path.parent.name), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                continue
        time.sleep(0.5)
