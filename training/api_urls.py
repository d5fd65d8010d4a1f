"""REST addresses of training."""

from django.urls import include, path

from training import api, api_merges, api_registry

urlpatterns = [
    path("corpora/<slug:slug>/train/", api.Train.as_view(), name="api-train"),
    path("corpora/<slug:slug>/train/check/", api.TrainCheck.as_view(), name="api-train-check"),
    path("corpora/<slug:slug>/runs/training/", api.TrainingRunList.as_view(), name="api-training-runs"),
    path("runs/training/<int:pk>/", api.TrainingRunDetail.as_view(), name="api-training-run"),
    path("runs/training/<int:pk>/cancel/", api.TrainingRunCancel.as_view(), name="api-training-cancel"),
    path("runs/training/<int:pk>/resume/", api.TrainingRunResume.as_view(), name="api-training-resume"),
    path("corpora/<slug:slug>/merges/", api_merges.MergeList.as_view(), name="api-merges"),
    path("runs/merge/<int:pk>/", api_merges.MergeDetail.as_view(), name="api-merge"),
    path("runs/merge/<int:pk>/cancel/", api_merges.MergeCancel.as_view(), name="api-merge-cancel"),
    path("corpora/<slug:slug>/versions/", api_registry.VersionList.as_view(), name="api-versions"),
    path("corpora/<slug:slug>/versions/compare/", api_registry.Compare.as_view(), name="api-compare"),
    path(
        "corpora/<slug:slug>/versions/compare/pairs/",
        api_registry.ComparePairs.as_view(),
        name="api-compare-pairs",
    ),
    path("versions/<int:pk>/", api_registry.VersionDetail.as_view(), name="api-version"),
    path("versions/<int:pk>/card/", api_registry.ModelCard.as_view(), name="api-card"),
    path("versions/<int:pk>/export/", api_registry.Export.as_view(), name="api-version-export"),
    path("versions/<int:pk>/rebuild/", api_registry.Rebuild.as_view(), name="api-rebuild"),
    path("versions/<int:pk>/promote/", api_registry.Promote.as_view(), name="api-promote"),
    path("corpora/<slug:slug>/rollback/", api_registry.Rollback.as_view(), name="api-rollback"),
    path("corpora/<slug:slug>/aliases/", api_registry.AliasList.as_view(), name="api-aliases"),
    path("corpora/<slug:slug>/aliases/<slug:name>/", api_registry.AliasDetail.as_view(), name="api-alias"),
    path("corpora/<slug:slug>/alias-moves/", api_registry.AliasMoveList.as_view(), name="api-alias-moves"),
    path("", include("training.lab.runs.api_urls")),
    path("", include("training.lab.gate.api_urls")),
    path("", include("training.lab.sets.api_urls")),
    path("", include("training.lab.probes.api_urls")),
    path("", include("training.lab.forgetting.api_urls")),
]
