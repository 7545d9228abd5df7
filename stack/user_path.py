"""Paths that an operator names."""

import os
from typing import Any

import rich_click as click


class UserPath(click.Path):
    """A path in which ``~`` is a home, where no shell has put it in: make's variables stand in quotes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Fails for one that is not as it has to be."""
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111 (pathlib's fails for no user)
