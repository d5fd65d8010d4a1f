"""REST addresses of knowledge."""

from django.urls import path

from knowledge import api, api_exchange, api_generation

urlpatterns = [
    path("corpora/", api.CorpusList.as_view(), name="api-corpora"),
    path("corpora/<slug:slug>/", api.CorpusDetail.as_view(), name="api-corpus"),
    path("corpora/<slug:slug>/members/", api.Members.as_view(), name="api-members"),
    path("corpora/<slug:slug>/members/<str:username>/", api.Member.as_view(), name="api-member"),
    path("corpora/<slug:slug>/documents/", api.DocumentList.as_view(), name="api-documents"),
    path("documents/<int:pk>/", api.DocumentDetail.as_view(), name="api-document"),
    path("corpora/<slug:slug>/reflections/", api.ReflectionList.as_view(), name="api-reflections"),
    path("corpora/<slug:slug>/reflections/review/", api.ReflectionReview.as_view(), name="api-review"),
    path(
        "corpora/<slug:slug>/reflections/export/",
        api_exchange.ReflectionExport.as_view(),
        name="api-export",
    ),
    path(
        "corpora/<slug:slug>/reflections/import/",
        api_exchange.ReflectionImport.as_view(),
        name="api-import",
    ),
    path("reflections/<int:pk>/", api.ReflectionDetail.as_view(), name="api-reflection"),
    path("corpora/<slug:slug>/generate/", api.Generate.as_view(), name="api-generate"),
    path(
        "corpora/<slug:slug>/generate/forecast/",
        api_generation.GenerationForecast.as_view(),
        name="api-generation-forecast",
    ),
    path("corpora/<slug:slug>/runs/generation/", api.GenerationRunList.as_view(), name="api-generation-runs"),
    path("runs/generation/<int:pk>/", api.GenerationRunDetail.as_view(), name="api-generation-run"),
    path("runs/generation/<int:pk>/cancel/", api.GenerationRunCancel.as_view(), name="api-generation-cancel"),
    path(
        "runs/generation/<int:pk>/pause/",
        api_generation.GenerationRunPause.as_view(),
        name="api-generation-pause",
    ),
    path(
        "runs/generation/<int:pk>/resume/",
        api_generation.GenerationRunResume.as_view(),
        name="api-generation-resume",
    ),
    path(
        "runs/generation/<int:pk>/retry/",
        api_generation.GenerationRunRetry.as_view(),
        name="api-generation-retry",
    ),
    path("runs/generation/<int:pk>/unread/", api.UnreadSentenceList.as_view(), name="api-unread"),
]
