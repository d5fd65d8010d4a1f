"""REST addresses of training."""

from django.urls import path

from training import api

urlpatterns = [
    path("corpora/<slug:slug>/train/", api.Train.as_view(), name="api-train"),
    path("corpora/<slug:slug>/runs/training/", api.TrainingRunList.as_view(), name="api-training-runs"),
    path("runs/training/<int:pk>/", api.TrainingRunDetail.as_view(), name="api-training-run"),
    path("runs/training/<int:pk>/cancel/", api.TrainingRunCancel.as_view(), name="api-training-cancel"),
    path("corpora/<slug:slug>/versions/", api.VersionList.as_view(), name="api-versions"),
    path("versions/<int:pk>/", api.VersionDetail.as_view(), name="api-version"),
    path("versions/<int:pk>/promote/", api.Promote.as_view(), name="api-promote"),
    path("corpora/<slug:slug>/rollback/", api.Rollback.as_view(), name="api-rollback"),
    path("corpora/<slug:slug>/alias-moves/", api.AliasMoveList.as_view(), name="api-alias-moves"),
]
