"""Mark the moves that were rollbacks, so that the next rollback goes further back."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def mark_rollbacks(apps: Any, schema_editor: Any) -> None:
    """Up to now only the reason told a rollback from a promotion."""
    moves = apps.get_model("training", "AliasMove").objects
    moves.filter(reason__startswith="Rollback from ").update(is_rollback=True)


class Migration(migrations.Migration):
    dependencies = [("training", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="aliasmove",
            name="is_rollback",
            field=models.BooleanField(
                default=False,
                editable=False,
                help_text="It took moves back; the next rollback goes further back.",
            ),
        ),
        migrations.RunPython(mark_rollbacks, migrations.RunPython.noop),
    ]
