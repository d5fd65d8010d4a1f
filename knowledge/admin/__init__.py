"""The curators' workbench for corpora, documents, reflections and generation runs."""

from knowledge.admin import corpora, documents, endpoints, people, reflections, runs, samples

__all__ = ["corpora", "documents", "endpoints", "people", "reflections", "runs", "samples"]
