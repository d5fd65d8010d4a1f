"""Forms of the chat's pages."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings

from chat.choosing import RULES_LABEL
from chat.corpus_settings import told_of
from chat.models import ChatSettings
from memosite.models import Endpoint, EndpointRole


class ChatSettingsForm(forms.ModelForm):
    """What the owners of a corpus decide about its chat. ``is_valid`` checks it; nothing here stores it."""

    class Meta:
        model = ChatSettings
        fields = ("executive", "choices", "may_choose_rules", "retention_days")
        widgets = {
            "choices": forms.CheckboxSelectMultiple(attrs={"aria-describedby": "choices-hint"}),
            "executive": forms.Select(attrs={"aria-describedby": "executive-hint"}),
            "may_choose_rules": forms.CheckboxInput(attrs={"aria-describedby": "may_choose_rules-hint"}),
            "retention_days": forms.NumberInput(attrs={"aria-describedby": "retention_days-hint"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = Endpoint.objects.filter(role=EndpointRole.EXECUTIVE)
        for name in ("executive", "choices"):
            field = cast("forms.ModelChoiceField[Endpoint]", self.fields[name])
            field.queryset = offered
            field.label_from_instance = told_of  # type: ignore[assignment, method-assign]
        executive = cast("forms.ModelChoiceField[Endpoint]", self.fields["executive"])
        executive.empty_label = RULES_LABEL
        self.has_endpoints = offered.exists()
        self.site_days = settings.CHAT_RETENTION_DAYS
