"""Whether two questions ask for the same, and whether two answers say the same. Plain Python."""
