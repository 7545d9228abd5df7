"""``turnstile docs settings``: docs/settings.md, made from the settings. ``--write`` stores it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from ops.reference.generated import page_command
from settings import Settings
from stack.settings import StackSettings

PAGE: Final = Path(__file__).parents[2] / "docs" / "settings.md"
PREFIX: Final = "TURNSTILE_"
COMPUTED: Final = {"jars": "`turnstile/jars` in the user's cache folder"}

HEAD: Final = """\
# Settings

Made from `settings/` and `stack/settings.py` by `turnstile docs settings --write`; a test fails when stale.

Every setting is an environment variable. A setting of the deployed parts (API, workers, migrations, bootstrap) may
also come from a file: `TURNSTILE_SECRETS_DIR` names a folder, and a file in it is named like the variable in small
letters, such as `turnstile_database_url`. The variable wins over the file. A value that doesn't fit ends the process
at its start with exit code 2 and a line for each setting that doesn't, none of which tells the value.

`embedded` settings are read by `make run` and by the tests; it sets those of the deployed parts by itself, for the
servers that it starts. A setting that both read is one variable.

| variable | default | what it is | read by |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(f"| {' | '.join(cells)} |\n" for cells in rows())


def rows() -> Iterator[tuple[str, str, str, str]]:
    """One row per variable: first the deployed parts', then those that only the embedded stack reads."""
    embedded = StackSettings.model_fields
    for name, field in Settings.model_fields.items():
        other = embedded.get(name)
        yield _row(name, field, "deployed parts" if other is None else "deployed parts, embedded")
    for name, field in embedded.items():
        if name not in Settings.model_fields:
            yield _row(name, field, "embedded")


def variables(*classes: type[BaseSettings]) -> set[str]:
    """The names of the variables that these classes read."""
    return {f"{PREFIX}{name.upper()}" for cls in classes for name in cls.model_fields}


def _row(name: str, field: FieldInfo, reader: str) -> tuple[str, str, str, str]:
    return f"`{PREFIX}{name.upper()}`", _default(name, field), _sentence(name, field), reader


def _sentence(name: str, field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"the setting {name} has no description")
    return field.description.replace("|", "\\|")


def _default(name: str, field: FieldInfo) -> str:
    if name in COMPUTED:
        return COMPUTED[name]
    if field.is_required():
        return "**required**"
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "none"
    return f"`{value.get_secret_value() if isinstance(value, SecretStr) else value}`"


command = page_command("settings", PAGE, page)
