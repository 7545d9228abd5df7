"""A service of the compose file as a container of podman, beside the embedded servers.

Everything is as the file says, but for the addresses and ports of the servers, which are this machine's.
"""

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.containers.engine import limits, podman

# What the file says beside that, and why it is not applied.
NOT_APPLIED: Final = {
    "build": "the image is built before",
    "depends_on": "the tests start in order",
    "healthcheck": "asked by the tests",
    "image": "taken by its id",
    "logging": "of docker's engine",
    "networks": "the embedded servers listen on this machine's loopback",
    "profiles": "of docker compose",
    "restart": "an end is a fault",
}
APPLIED: Final = {
    *("cap_drop", "command", "environment", "mem_limit", "read_only", "secrets", "security_opt"),
    *("stop_grace_period", "tmpfs", "volumes"),
}
ADDRESSES: Final = ("_SERVERS", "_URL", "_HOST", "_PORT", "_BIND", "_CONNECT_SECRETS_DIR")
KILLED: Final = 137
STOP_TIMEOUT_S: Final = 5


@dataclass
class Container:
    """One container. ``host`` are the variables that name this machine's addresses."""

    name: str
    service: Mapping[str, Any]
    image: str
    secrets: Path
    host: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """Its variables, with the addresses of this machine."""
        told = {key: by_default(str(value)) for key, value in self.service["environment"].items()}
        return told | {key: value for key, value in self.host.items() if key in told and key.endswith(ADDRESSES)}

    def run(self, *options: str, timeout_s: float = 60) -> str:
        """Run it; returns what it printed, or its id with the option ``--detach``."""
        words = ("--name", self.name, "--network", "host", *options, *self._options())
        return podman("run", *words, self.image, *map(undollared, self.service.get("command", ())), timeout_s=timeout_s)

    def healthy(self) -> bool:
        """Whether the file's health check succeeds in it now."""
        kind, *command = self.service["healthcheck"]["test"]
        assert kind == "CMD"
        check = ("podman", "exec", self.name, *map(self._moved, command))
        return subprocess.run(check, capture_output=True, check=False, timeout=30).returncode == 0

    def stop(self) -> int:
        """The exit code after SIGTERM; KILLED if it was not gone in time."""
        podman("stop", "--time", str(STOP_TIMEOUT_S), self.name)
        return int(podman("inspect", "--format", "{{.State.ExitCode}}", self.name))

    def remove(self) -> None:
        """Remove it, its volumes too."""
        podman("rm", "--force", "--time", "0", self.name)
        for volume in self._volumes():
            podman("volume", "rm", "--force", volume)

    def log(self) -> str:
        """What it said last."""
        told = ("podman", "logs", "--tail", "30", self.name)
        return subprocess.run(told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout

    def _options(self) -> Iterable[str]:
        service = self.service
        unknown = set(service) - APPLIED - set(NOT_APPLIED)
        assert not unknown, f"{self.name}: nothing is known of {unknown}"
        yield from (f"--env={key}={value}" for key, value in self.environment.items())
        yield from (self._mounted(secret["source"], secret["target"]) for secret in service["secrets"])
        yield from (f"--volume={name}:{path}" for name, path in self._volumes().items())
        yield from (f"--tmpfs={each}" for each in service["tmpfs"])
        yield from (f"--cap-drop={each}" for each in service["cap_drop"])
        yield from (f"--security-opt={each.removesuffix(':true')}" for each in service["security_opt"])
        yield from (f"--ulimit={name}={limit}:{limit}" for name, limit in limits().items())
        yield from (f"--read-only={str(service['read_only']).lower()}", f"--memory={service['mem_limit']}")

    def _mounted(self, source: str, target: str) -> str:
        return f"--volume={self.secrets / source}:/run/secrets/{target}:ro"

    def _volumes(self) -> dict[str, str]:
        pairs = (volume.split(":", 1) for volume in self.service.get("volumes", ()))
        return {f"{self.name}-{name}": path for name, path in pairs}

    def _moved(self, word: str) -> str:
        """A word of the health check, with the port that it listens on here."""
        for key, value in self.service["environment"].items():
            if key.endswith("_PORT"):
                word = word.replace(f"127.0.0.1:{value}/", f"127.0.0.1:{self.environment[key]}/")
        return word


def by_default(value: str) -> str:
    """A value as the engine reads it where the variables that it names are not set."""
    return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value)


def undollared(word: object) -> str:
    """A word of a command as the engine passes it on."""
    return str(word).replace("$$", "$")
