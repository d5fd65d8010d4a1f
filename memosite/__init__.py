"""memosite: MeMo (Memory as a Model) as a product."""

from memosite.celery import app as celery_app

__all__ = ("celery_app",)
