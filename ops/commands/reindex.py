"""``turnstile reindex``: a new search index."""

import asyncio
import sys

import rich_click as click

from ops.terminal import console, safe
from settings import settings
from streams.search.reindex import reindex


@click.command(name="reindex")
def command() -> None:
    """Rebuild the search index from PostgreSQL while changes continue: when `verify` found it wrong.

    An event whose row can't be indexed is left out and named. Exit code 1 if there is one.
    """
    done = asyncio.run(reindex(settings(), lambda line: console.print(safe(line))))
    sys.exit(bool(done.left_out))
