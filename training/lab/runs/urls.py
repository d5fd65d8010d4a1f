"""Addresses of the pages about evaluations."""

from django.urls import path

from training.lab.runs import views

urlpatterns = [
    path("corpora/<slug:slug>/evaluations/", views.evaluations, name="evaluations"),
    path("corpora/<slug:slug>/evaluations/<int:pk>/", views.evaluation, name="evaluation-run"),
    path("corpora/<slug:slug>/evaluations/<int:pk>/cancel/", views.cancel, name="cancel-evaluation"),
    path("corpora/<slug:slug>/evaluations/<int:pk>/resume/", views.resume, name="resume-evaluation"),
    path("corpora/<slug:slug>/evaluations/<int:pk>/export/", views.export, name="export-evaluation"),
    path(
        "corpora/<slug:slug>/evaluations/<int:pk>/questions/<int:position>/",
        views.question,
        name="asked-question",
    ),
]
