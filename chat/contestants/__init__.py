"""Who answers in an evaluation: MeMo, and what it has to be measured against. Plain Python."""
