"""``turnstile secrets``: the secret files of a deployment in containers."""

from pathlib import Path

import rich_click as click

from ops.secrets import make_secrets, report


@click.command(name="secrets")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("secrets"))
def command(folder: Path) -> None:
    """Make the secret files that docker-compose.yml reads, in FOLDER (secrets). A file that is there stays as it is."""
    click.echo(report(folder, make_secrets(folder)))
