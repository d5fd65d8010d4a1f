"""What ``manage.py train`` says at the end."""

from __future__ import annotations

from training.management.commands.train import recall_in_words


def test_the_command_tells_recall_and_where_none_was_held_out_says_so():
    both = {"trained_recall": 0.996, "held_out_recall": 0.973}
    assert recall_in_words(both) == "recall 99.6% on trained questions, 97.3% on held-out wordings"
    for metrics in ({"trained_recall": 0.996, "held_out_recall": None}, {"trained_recall": 0.996}):
        assert recall_in_words(metrics) == "recall 99.6% on trained questions, no wordings were held out"
