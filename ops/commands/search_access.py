"""``turnstile search-access``: users and roles of Elasticsearch."""

import sys

import rich_click as click

from ops.search_access import main


@click.command(name="search-access")
def command() -> None:
    """Give the indexer, the API and the exporter their users and roles in Elasticsearch, where its security is on.

    Any number of times. Exit code 1 with one line where Elasticsearch doesn't do it.
    """
    sys.exit(main())
