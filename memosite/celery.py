"""The Celery application. Messages carry only a row's id: the row is the truth (see memosite.runs)."""

from __future__ import annotations

import os

from celery import Celery

from memosite import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "memosite.settings")
broker.register()

app = Celery("memosite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.include = ["memosite.worker"]
