"""The evaluation lab: sets of questions, runs of contestants over them, and gates before a version goes live."""
