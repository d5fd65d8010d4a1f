"""REST addresses of the gate."""

from django.urls import path

from training.lab.gate import api

urlpatterns = [
    path("corpora/<slug:slug>/gate/", api.Gate.as_view(), name="api-gate"),
    path("corpora/<slug:slug>/gate/checks/", api.GateCheckList.as_view(), name="api-gate-checks"),
    path("versions/<int:pk>/gate/", api.VersionGate.as_view(), name="api-version-gate"),
    path("versions/<int:pk>/approve/", api.Approve.as_view(), name="api-approve"),
]
