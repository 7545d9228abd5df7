"""``turnstile docs settings``: docs/settings.md, made from the settings. ``--write`` stores it."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ops.reference.generated import ROOT, head_of, page_command
from settings import Settings
from stack.settings import StackSettings

PAGE: Final = ROOT / "docs" / "settings.md"
PREFIX: Final = "TURNSTILE_"
COMPUTED: Final = {"jars": "`turnstile/jars` in the user's cache folder"}
TABLE: Final = "| variable | default | what it is | read by |\n|---|---|---|---|\n"


def page() -> str:
    """The whole page: what people have written at its top, and the table."""
    return head_of(PAGE, TABLE) + TABLE + "".join(f"| {' | '.join(cells)} |\n" for cells in rows())


def rows() -> Iterator[tuple[str, str, str, str]]:
    """One row per variable: first the deployed parts', then those that only the embedded stack reads."""
    embedded = StackSettings.model_fields
    for name, field in Settings.model_fields.items():
        other = embedded.get(name)
        yield _row(name, field, "deployed parts" if other is None else "deployed parts, embedded")
    for name, field in embedded.items():
        if name not in Settings.model_fields:
            yield _row(name, field, "embedded")


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
