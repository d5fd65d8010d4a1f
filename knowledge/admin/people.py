"""Accounts and groups, for superusers. Who belongs to a corpus is settled on the page of the corpus."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from knowledge.admin.base import SuperusersOnly

admin.site.unregister(get_user_model())
admin.site.unregister(Group)


@admin.register(get_user_model())
class PersonAdmin(SuperusersOnly, UserAdmin, ModelAdmin):
    """Accounts."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class PeopleGroupAdmin(SuperusersOnly, GroupAdmin, ModelAdmin):
    """Groups. Those of a corpus are made with it and cannot be deleted while it is there."""
