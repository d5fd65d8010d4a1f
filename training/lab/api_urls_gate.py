"""REST addresses of the gate."""

from django.urls import path

from training.lab import api_gate

urlpatterns = [
    path("corpora/<slug:slug>/gate/", api_gate.Gate.as_view(), name="api-gate"),
    path("corpora/<slug:slug>/gate/checks/", api_gate.GateCheckList.as_view(), name="api-gate-checks"),
    path("versions/<int:pk>/gate/", api_gate.VersionGate.as_view(), name="api-version-gate"),
    path("versions/<int:pk>/approve/", api_gate.Approve.as_view(), name="api-approve"),
]
