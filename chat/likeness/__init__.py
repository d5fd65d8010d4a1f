"""Questions and answers taken apart: whether two ask for the same, and whether two say the same. Plain Python."""
