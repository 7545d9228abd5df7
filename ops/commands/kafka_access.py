"""``turnstile kafka-access``: users and rights of Kafka."""

import sys

import rich_click as click

from ops.kafka_access import main


@click.command(name="kafka-access")
def command() -> None:
    """Give every part its user and its rights in Kafka, where clients have to sign in.

    Any number of times. Exit code 1 with one line where Kafka doesn't do it.
    """
    sys.exit(main())
