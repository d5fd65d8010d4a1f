"""A language model as EXECUTIVE. Plain Python: no Django, no database."""
