"""Programs that are Go modules: those on the PATH, else those that ``make deployment`` built into the user's cache."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from stack.settings import jar_cache


class Module(NamedTuple):
    """Where a program comes from; ``built`` is the name that the compiler gives it."""

    path: str
    version: str
    built: str


MODULES: Final = {
    # The loader of docker compose, as a program of its own.
    "compose-go": Module("github.com/compose-spec/compose-go/v2/cmd", "v2.16.2", "cmd"),
    "helm": Module("helm.sh/helm/v3/cmd/helm", "v3.22.0", "helm"),
    # Checks requests against Stripe's published OpenAPI description.
    "stripe-mock": Module("github.com/stripe/stripe-mock", "v0.203.0", "stripe-mock"),
}
BUILD_TIMEOUT_S: Final = 900


def program(name: str) -> str:
    """The path of a program. Skips the test with a message if there is none."""
    found = shutil.which(name) or shutil.which(built(name))
    if found is None:
        pytest.skip(f"NOT TESTED: there is no {name}; `make deployment` builds it where there is Go")
    return found


def built(name: str) -> Path:
    """Where a program is once it was built."""
    module = MODULES[name]
    return jar_cache().parent / "go" / module.version / module.built


def main() -> None:
    """Build what is missing. Exits with the reason where that can't be done."""
    if shutil.which("go") is None:
        sys.exit("THERE IS NO GO: the tests that need compose-go, helm and stripe-mock will be skipped")
    for name, module in MODULES.items():
        if not built(name).exists():
            environment = os.environ | {"GOBIN": str(built(name).parent), "GOFLAGS": "-mod=mod"}
            install = ("go", "install", f"{module.path}@{module.version}")
            subprocess.run(install, env=environment, check=True, timeout=BUILD_TIMEOUT_S)


if __name__ == "__main__":
    main()
