"""Addresses of the pages about documents that are to be forgotten."""

from django.urls import path

from training.lab.forgetting import views

urlpatterns = [
    path("corpora/<slug:slug>/forgetting/", views.forgetting, name="forgetting"),
    path("corpora/<slug:slug>/forgetting/<int:pk>/", views.forgotten, name="forgotten"),
    path(
        "corpora/<slug:slug>/forgetting/<int:pk>/certificate/",
        views.certificate,
        name="certificate",
    ),
]
