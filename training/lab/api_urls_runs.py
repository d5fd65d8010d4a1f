"""REST addresses of evaluations."""

from django.urls import path

from training.lab import api_runs

urlpatterns = [
    path("corpora/<slug:slug>/evaluations/", api_runs.EvaluationList.as_view(), name="api-evaluations"),
    path("runs/evaluation/<int:pk>/", api_runs.EvaluationDetail.as_view(), name="api-evaluation"),
    path("runs/evaluation/<int:pk>/answers/", api_runs.Answers.as_view(), name="api-evaluation-answers"),
    path(
        "runs/evaluation/<int:pk>/cancel/", api_runs.EvaluationCancel.as_view(), name="api-evaluation-cancel"
    ),
    path(
        "runs/evaluation/<int:pk>/resume/", api_runs.EvaluationResume.as_view(), name="api-evaluation-resume"
    ),
    path(
        "runs/evaluation/<int:pk>/export/", api_runs.EvaluationExport.as_view(), name="api-evaluation-export"
    ),
]
