"""Pairs in files: what each format holds, how it is written and how it is read. Plain Python, no database."""
