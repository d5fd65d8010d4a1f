"""Addresses of the gate's pages."""

from django.urls import path

from training.lab import views_gate

urlpatterns = [
    path("corpora/<slug:slug>/gate/", views_gate.gate, name="gate"),
    path("corpora/<slug:slug>/gate/remove/", views_gate.remove, name="remove-gate"),
    path("corpora/<slug:slug>/versions/<int:number>/approve/", views_gate.approve, name="approve-version"),
    path(
        "corpora/<slug:slug>/versions/<int:number>/withdraw/", views_gate.withdraw, name="withdraw-approval"
    ),
]
