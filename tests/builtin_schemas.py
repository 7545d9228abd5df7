"""Checks files by the schemas that come with check-jsonschema, in this process: another takes longer to start."""

import warnings
from pathlib import Path

from check_jsonschema import main
from click.testing import CliRunner, Result


def check(schema: str, path: Path) -> Result:
    """What check-jsonschema says of a file; its exit code is 1 where the file doesn't fit."""
    with warnings.catch_warnings():
        # Compose names the dialect of its schema by an address that jsonschema does not know.
        warnings.simplefilter("ignore", DeprecationWarning)
        return CliRunner().invoke(main, ["--builtin-schema", f"vendor.{schema}", str(path)])
