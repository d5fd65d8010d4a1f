"""REST addresses of what versions learned, what changed between them, and what is to be forgotten."""

from django.urls import path

from training.lab import api_knowledge as api

urlpatterns = [
    path("versions/<int:pk>/learned/", api.Learned.as_view(), name="api-learned"),
    path("versions/<int:pk>/more-pairs/", api.MorePairs.as_view(), name="api-more-pairs"),
    path("runs/probes/<int:pk>/", api.ProbeRunDetail.as_view(), name="api-probe-run"),
    path("runs/probes/<int:pk>/cancel/", api.ProbeRunCancel.as_view(), name="api-probe-cancel"),
    path("runs/probes/<int:pk>/resume/", api.ProbeRunResume.as_view(), name="api-probe-resume"),
    path("corpora/<slug:slug>/versions/diff/", api.Diff.as_view(), name="api-knowledge-diff"),
    path(
        "corpora/<slug:slug>/versions/diff/questions/",
        api.DiffQuestions.as_view(),
        name="api-knowledge-diff-questions",
    ),
    path("corpora/<slug:slug>/forgotten/", api.ForgottenList.as_view(), name="api-forgotten-list"),
    path("forgotten/<int:pk>/", api.ForgottenDetail.as_view(), name="api-forgotten"),
    path("forgotten/<int:pk>/retrain/", api.ForgottenRetrain.as_view(), name="api-forgotten-retrain"),
    path("forgotten/<int:pk>/probe/", api.ForgottenProbe.as_view(), name="api-forgotten-probe"),
    path("forgotten/<int:pk>/certificate/", api.Certificate.as_view(), name="api-certificate"),
]
