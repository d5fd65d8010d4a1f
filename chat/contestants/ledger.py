"""What one question costs a contestant beside the EXECUTIVE's own decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from chat.protocol.executive import Usage


@dataclass
class Ledger:
    """The accounts of one question.

    ``read_tokens``: of passages, or of MEMORY's answers, by ``count_tokens``. ``usage``: calls of a language model
    that are not the EXECUTIVE's decisions. ``cost``: US dollars beyond the tokens of those calls, such as for
    embeddings.
    """

    read_tokens: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: Decimal = Decimal(0)
