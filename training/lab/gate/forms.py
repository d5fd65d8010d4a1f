"""The form on which the owners of a corpus set the rules of its gate."""

from __future__ import annotations

from django import forms

from training.models import GateRules

SHARES = ("least_recall", "most_false_answers", "most_drop")


class GateForm(forms.ModelForm):
    """The rules; ``is_valid`` checks them, nothing here stores them."""

    class Meta:
        model = GateRules
        fields = ("golden_must_pass", *SHARES, "needs_second_approver")
        labels = {
            "golden_must_pass": "Golden sets must pass",
            "least_recall": "Least recall",
            "most_false_answers": "Most false answers",
            "most_drop": "Most loss against the live version",
            "needs_second_approver": "A second owner must approve",
        }
        widgets = {
            name: forms.NumberInput(
                attrs={
                    "step": "any",
                    "min": 0,
                    "max": 1,
                    "class": "short",
                    "aria-describedby": f"{name}-hint",
                }
            )
            for name in SHARES
        }
        help_texts = {
            "golden_must_pass": "The newest evaluation answers every question of every golden set right.",
            "least_recall": "On held-out wordings, from 0 to 1, such as 0.9. Empty: not asked for.",
            "most_false_answers": "Share of what it cannot know that it answers all the same, such as 0.1.",
            "most_drop": "Of recall, and of exact match on what the live version was evaluated on, such as 0.02.",
            "needs_second_approver": "Another owner than the one who promotes the version.",
        }
