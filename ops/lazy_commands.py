"""Commands of a click group, each loaded from its module when it is used: a command starts without the others."""

from collections import UserDict
from pkgutil import resolve_name
from typing import Any


class LazyCommands(UserDict[str, Any]):
    """Click commands by name, given as ``module:attribute``. Set as a group's ``commands``."""

    def __getitem__(self, key: str) -> Any:
        """Load the command. Raises KeyError for an unknown name."""
        return resolve_name(self.data[key])
