"""Addresses of the pages about what versions learned, what changed between them, and what is to be forgotten."""

from django.urls import path

from training.lab import views_forgetting, views_knowledge

urlpatterns = [
    path(
        "corpora/<slug:slug>/versions/<int:number>/learned/",
        views_knowledge.learned,
        name="did-it-learn",
    ),
    path(
        "corpora/<slug:slug>/versions/<int:number>/learned/<int:document>/",
        views_knowledge.learned_document,
        name="did-it-learn-document",
    ),
    path(
        "corpora/<slug:slug>/versions/<int:number>/more-pairs/",
        views_knowledge.more_pairs,
        name="more-pairs",
    ),
    path("corpora/<slug:slug>/versions/diff/", views_knowledge.diff, name="knowledge-diff"),
    path("corpora/<slug:slug>/probes/<int:pk>/cancel/", views_knowledge.cancel, name="cancel-probes"),
    path("corpora/<slug:slug>/probes/<int:pk>/resume/", views_knowledge.resume, name="resume-probes"),
    path("corpora/<slug:slug>/forgetting/", views_forgetting.forgetting, name="forgetting"),
    path("corpora/<slug:slug>/forgetting/<int:pk>/", views_forgetting.forgotten, name="forgotten"),
    path(
        "corpora/<slug:slug>/forgetting/<int:pk>/certificate/",
        views_forgetting.certificate,
        name="certificate",
    ),
]
