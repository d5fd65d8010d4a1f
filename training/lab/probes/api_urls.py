"""REST addresses of what versions learned, and what changed between them."""

from django.urls import path

from training.lab.probes import api

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
]
