"""Where a process spends its CPU, and what a run leaves on the disk."""

import os
import subprocess
import sys
import time
from pathlib import Path

from lab.bench.disk import folder_bytes, topic_bytes
from lab.bench.sampler import report, sampled, toggle
from stack.child import Command
from stack.member import StackMember
from stack.settings import StackSettings

MODULE = """
import sys, time
def idle():
    time.sleep(0.05)
def burn():
    until = time.process_time() + 0.05
    while time.process_time() < until: pass
print("ready", flush=True)
while True:
    idle()
    burn()
"""


class Plain(StackMember):
    name = "ledger-0"

    def command(self) -> Command:
        return Command((sys.executable, "-m", "burning"), self.log)

    def ready(self) -> bool:
        return True


def test_samples_show_what_burns_and_not_what_waits(tmp_path: Path) -> None:
    (tmp_path / "burning.py").write_text(MODULE)
    server = Plain(StackSettings.model_validate({"home": tmp_path}))
    output = sampled(server, tmp_path)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}
    with subprocess.Popen(server.command().argv, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            toggle([process.pid])
            time.sleep(0.6)
            toggle([process.pid])
            text = report([output])
        finally:
            process.kill()
    most = text.split("by itself\n")[1].splitlines()[0]
    assert most.endswith("burn")
    assert float(most.split()[0]) > 80
    assert "idle" not in text.splitlines()[3]


def test_a_topic_is_its_records_and_no_other_topics(tmp_path: Path) -> None:
    for folder, name, size in (
        ("a-0", "0.log", 10),
        ("a-1", "0.log", 5),
        ("a-1", "0.index", 99),
        ("a-b-0", "0.log", 7),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_bytes(b"x" * size)
    assert topic_bytes(tmp_path, "a") == 15
    assert topic_bytes(tmp_path, "a-b") == 7
    assert topic_bytes(tmp_path, "none") == 0


def test_a_folder_is_what_its_files_take_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"x" * 10_000)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(50_000_000)
    assert 10_000 <= folder_bytes(tmp_path) < 1_000_000
