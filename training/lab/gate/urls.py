"""Addresses of the gate's pages."""

from django.urls import path

from training.lab.gate import views

urlpatterns = [
    path("corpora/<slug:slug>/gate/", views.gate, name="gate"),
    path("corpora/<slug:slug>/gate/remove/", views.remove, name="remove-gate"),
    path("corpora/<slug:slug>/versions/<int:number>/approve/", views.approve, name="approve-version"),
    path("corpora/<slug:slug>/versions/<int:number>/withdraw/", views.withdraw, name="withdraw-approval"),
]
