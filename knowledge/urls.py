"""Addresses of the pages about documents and generation."""

from django.urls import path

from knowledge import views

urlpatterns = [
    path("corpora/<slug:slug>/documents/", views.upload, name="upload-documents"),
    path("corpora/<slug:slug>/documents/<int:pk>/", views.document, name="document"),
    path("corpora/<slug:slug>/documents/<int:pk>/remove/", views.remove, name="remove-document"),
    path("corpora/<slug:slug>/generations/", views.generate, name="start-generation"),
    path("corpora/<slug:slug>/build/", views.build, name="build"),
    path("corpora/<slug:slug>/generations/<int:pk>/cancel/", views.cancel, name="cancel-generation"),
    path("corpora/<slug:slug>/generations/<int:pk>/unread/", views.unread, name="unread-sentences"),
]
