"""Addresses of the pages about what versions learned, and what changed between them."""

from django.urls import path

from training.lab.probes import views

urlpatterns = [
    path(
        "corpora/<slug:slug>/versions/<int:number>/learned/",
        views.learned,
        name="did-it-learn",
    ),
    path(
        "corpora/<slug:slug>/versions/<int:number>/learned/<int:document>/",
        views.learned_document,
        name="did-it-learn-document",
    ),
    path(
        "corpora/<slug:slug>/versions/<int:number>/more-pairs/",
        views.more_pairs,
        name="more-pairs",
    ),
    path("corpora/<slug:slug>/versions/diff/", views.diff, name="knowledge-diff"),
    path("corpora/<slug:slug>/probes/<int:pk>/cancel/", views.cancel, name="cancel-probes"),
    path("corpora/<slug:slug>/probes/<int:pk>/resume/", views.resume, name="resume-probes"),
]
