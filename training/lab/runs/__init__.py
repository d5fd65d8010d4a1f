"""Runs that put the questions of a set to contestants, and what they found."""
