"""Addresses of the pages about evaluations."""

from django.urls import path

from training.lab import run_views

urlpatterns = [
    path("corpora/<slug:slug>/evaluations/", run_views.evaluations, name="evaluations"),
    path("corpora/<slug:slug>/evaluations/<int:pk>/", run_views.evaluation, name="evaluation-run"),
    path("corpora/<slug:slug>/evaluations/<int:pk>/cancel/", run_views.cancel, name="cancel-evaluation"),
    path("corpora/<slug:slug>/evaluations/<int:pk>/resume/", run_views.resume, name="resume-evaluation"),
    path("corpora/<slug:slug>/evaluations/<int:pk>/export/", run_views.export, name="export-evaluation"),
    path(
        "corpora/<slug:slug>/evaluations/<int:pk>/questions/<int:position>/",
        run_views.question,
        name="asked-question",
    ),
]
