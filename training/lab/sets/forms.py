"""Forms about sets of questions. They check what was typed in; the services store it."""

from __future__ import annotations

from typing import Any

from django import forms

from training.evaluation.questions import LONGEST_QUESTION, BadQuestion, checked_question
from training.evaluation.readers import READERS
from training.evaluation.types import Question
from training.lab.sets.drafting import MAKERS, USUAL_QUESTIONS
from training.lab.sets.services import LONGEST_DESCRIPTION, LONGEST_NAME, MOST_QUESTIONS
from training.models import EvaluationQuestion

LINES = {"rows": 3}


class SetForm(forms.Form):
    """What a set is called and what it is for."""

    name = forms.CharField(max_length=LONGEST_NAME)
    description = forms.CharField(
        max_length=LONGEST_DESCRIPTION, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    is_golden = forms.BooleanField(
        required=False,
        label="Golden",
        help_text="Must-pass: the gate lets no version go live that misses one of its questions. Owners decide.",
    )


class MakeForm(forms.Form):
    """From what questions are made, and how many."""

    source = forms.ChoiceField(label="From", choices=[(key, maker.label) for key, maker in MAKERS.items()])
    name = forms.CharField(max_length=LONGEST_NAME, label="Name of the set")
    most = forms.IntegerField(
        min_value=1, max_value=MOST_QUESTIONS, initial=USUAL_QUESTIONS, label="Questions at most"
    )


class ImportForm(forms.Form):
    """A file of questions, and the set that it goes into."""

    file = forms.FileField(label="File")
    name = forms.CharField(
        max_length=LONGEST_NAME,
        label="Name of the set",
        help_text="A set of this name gets the questions that it does not ask yet; the others are updated.",
    )
    format = forms.ChoiceField(
        required=False,
        choices=[("", "told by the file"), *((key, reader.label) for key, reader in READERS.items())],
    )
    is_golden = SetForm.base_fields["is_golden"]
    with_passages = forms.BooleanField(
        required=False,
        label="Add its passages as documents",
        help_text="Of MuSiQue, HotpotQA and others that bring paragraphs: each becomes a document of the corpus "
        "once, under the title that questions name it by.",
    )


class QuestionForm(forms.Form):
    """A question with its accepted answers. ``question`` holds it once the form is valid."""

    text = forms.CharField(
        label="Question",
        max_length=LONGEST_QUESTION,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It has to be understood without any other.",
    )
    answerable = forms.BooleanField(
        required=False,
        initial=True,
        label="It has an answer",
        help_text="If not, “I don't know” is the only right answer.",
    )
    answers = forms.CharField(
        required=False,
        label="Accepted answers",
        widget=forms.Textarea(attrs=LINES),
        help_text="One on each line. Case, punctuation and articles do not count.",
    )
    is_set = forms.BooleanField(
        required=False, label="All of them are asked for", help_text="If not, any one of them is right."
    )
    documents = forms.CharField(
        required=False,
        label="Documents",
        widget=forms.Textarea(attrs=LINES),
        help_text="Titles of the documents that the answer rests on, one on each line.",
    )
    tags = forms.CharField(
        required=False,
        label="Tags",
        widget=forms.Textarea(attrs=LINES),
        help_text="One on each line, such as hops: 2. Results can be read by them.",
    )

    question: Question

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if "text" in values:
            try:
                self.question = checked_question(
                    values["text"],
                    _lines(values["answers"]),
                    is_set=values["is_set"],
                    answerable=values["answerable"],
                    documents=_lines(values["documents"]),
                    tags=_tags(values["tags"]),
                )
            except BadQuestion as error:
                self.add_error(None, str(error))
        return values

    @classmethod
    def values_of(cls, asked: EvaluationQuestion) -> dict[str, Any]:
        """What the form shows of a question."""
        return {
            "text": asked.text,
            "answerable": asked.answerable,
            "answers": "\n".join(asked.answers),
            "is_set": asked.is_set,
            "documents": "\n".join(asked.documents),
            "tags": "\n".join(f"{name}: {value}" for name, value in asked.tags.items()),
        }


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _tags(text: str) -> dict[str, str]:
    """Raises BadQuestion where a line has no colon."""
    tags = {}
    for line in _lines(text):
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise BadQuestion(f"The tag “{line.strip()[:60]}” is no name with a value, such as hops: 2.")
        tags[name.strip()] = value.strip()
    return tags
