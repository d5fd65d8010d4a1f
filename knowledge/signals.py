"""What knowledge announces to the apps above it, which it does not import."""

from django.dispatch import Signal

# Sent with run=GenerationRun when a run with ``go_live`` has stored and approved its pairs. Receivers must be
# idempotent: a run that is resumed announces itself again.
reflections_ready = Signal()
