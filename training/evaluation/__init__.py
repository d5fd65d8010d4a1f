"""Measuring what answers questions: questions with accepted answers, metrics, and how sure the figures are."""
