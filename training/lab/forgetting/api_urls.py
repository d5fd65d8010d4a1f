"""REST addresses of documents that are to be forgotten."""

from django.urls import path

from training.lab.forgetting import api

urlpatterns = [
    path("corpora/<slug:slug>/forgotten/", api.ForgottenList.as_view(), name="api-forgotten-list"),
    path("forgotten/<int:pk>/", api.ForgottenDetail.as_view(), name="api-forgotten"),
    path("forgotten/<int:pk>/retrain/", api.ForgottenRetrain.as_view(), name="api-forgotten-retrain"),
    path("forgotten/<int:pk>/probe/", api.ForgottenProbe.as_view(), name="api-forgotten-probe"),
    path("forgotten/<int:pk>/certificate/", api.Certificate.as_view(), name="api-certificate"),
]
