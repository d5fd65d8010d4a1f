"""Addresses of the pages about corpora, trainings and memory versions."""

from django.urls import path

from training import views

urlpatterns = [
    path("", views.home, name="home"),
    path("corpora/<slug:slug>/", views.corpus, name="corpus"),
    path("corpora/<slug:slug>/trainings/", views.train, name="start-training"),
    path("corpora/<slug:slug>/trainings/<int:pk>/cancel/", views.cancel, name="cancel-training"),
    path("corpora/<slug:slug>/versions/<int:number>/", views.version, name="version"),
    path("corpora/<slug:slug>/versions/<int:number>/promote/", views.promote, name="promote-version"),
    path("corpora/<slug:slug>/rollback/", views.rollback, name="rollback"),
]
