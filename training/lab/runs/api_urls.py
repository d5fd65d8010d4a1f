"""REST addresses of evaluations."""

from django.urls import path

from training.lab.runs import api

urlpatterns = [
    path("corpora/<slug:slug>/evaluations/", api.EvaluationList.as_view(), name="api-evaluations"),
    path("runs/evaluation/<int:pk>/", api.EvaluationDetail.as_view(), name="api-evaluation"),
    path("runs/evaluation/<int:pk>/answers/", api.Answers.as_view(), name="api-evaluation-answers"),
    path("runs/evaluation/<int:pk>/cancel/", api.EvaluationCancel.as_view(), name="api-evaluation-cancel"),
    path("runs/evaluation/<int:pk>/resume/", api.EvaluationResume.as_view(), name="api-evaluation-resume"),
    path("runs/evaluation/<int:pk>/export/", api.EvaluationExport.as_view(), name="api-evaluation-export"),
]
