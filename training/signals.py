"""What training announces to the apps above it, which it does not import."""

from django.dispatch import Signal

# Sent with alias=Alias and before=MemoryVersion or None in the transaction that moves the alias: what a receiver
# stores is stored if and only if the move is.
alias_moved = Signal()
