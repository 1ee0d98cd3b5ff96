"""What can a service be told? `python tests/docs/settings_page.py > docs/settings.md` prints every setting."""

import sys
from collections.abc import Sequence
from typing import Any

from pydantic.fields import FieldInfo

from chassis.settings import Settings, Told
from meeting_service.settings import MeetingSettings
from notification_service.settings import NotificationSettings
from plan_service.settings import PlanSettings

SECTIONS: Sequence[tuple[str, type[Told]]] = (
    ("Every service", Settings),
    ("plan-service", PlanSettings),
    ("meeting-service", MeetingSettings),
    ("notification-service", NotificationSettings),
)
HEAD = """# Settings

What a process is told from outside: environment variables, or files of the same name in lower case in the folder
`SAMORDNA_SECRETS_DIR`. Printed from the code by `python tests/docs/settings_page.py > docs/settings.md`.
"""


def page() -> str:
    return HEAD + "".join(f"\n## {title}\n\n{_table(cls)}" for title, cls in SECTIONS)


def _table(cls: type[Told]) -> str:
    rows = "".join(_row(name, field) for name, field in cls.model_fields.items())
    return f"| Name | Meaning | Default | Required |\n|---|---|---|---|\n{rows}"


def _row(name: str, field: FieldInfo) -> str:
    required = field.is_required()
    meaning = (field.description or "").replace("|", "\\|")
    default = "" if required else _shown(field.default)
    return f"| `SAMORDNA_{name.upper()}` | {meaning} | {default} | {'yes' if required else 'no'} |\n"


def _shown(default: Any) -> str:
    return "none" if default in (None, "") else f"`{default}`"


if __name__ == "__main__":
    sys.stdout.write(page())
