"""Forms that bring documents in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from knowledge.models import Corpus, Role


class SeveralFilesInput(forms.FileInput):
    """A file field of the page that takes several files."""

    allow_multiple_selected = True


class SeveralFilesField(forms.Field):
    """Any number of files. What is wrong with one of them is for the reader of documents to say."""

    widget = SeveralFilesInput(attrs={"class": " ".join(INPUT_CLASSES)})

    def clean(self, value: list[UploadedFile] | None) -> list[UploadedFile]:
        if not value:
            raise forms.ValidationError("Choose at least one file.", code="required")
        return value


class IntoCorpusForm(forms.Form):
    """The corpus that documents go to: one that the person curates."""

    corpus = forms.ModelChoiceField(
        Corpus.objects.none(), to_field_name="slug", empty_label=None, widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, *args: Any, person: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["corpus"].queryset = Corpus.objects.for_role(person, Role.CURATOR)  # type: ignore[attr-defined]


class FilesForm(IntoCorpusForm):
    """Several files at once."""

    documents = SeveralFilesField(
        label="Files", help_text="Text, Markdown, HTML, PDF or DOCX; as many as you like."
    )


class PastedTextForm(IntoCorpusForm):
    """Text from the clipboard, under a title."""

    title = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget())
    text = forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 12}))
