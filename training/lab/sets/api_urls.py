"""REST addresses of sets of questions."""

from django.urls import path

from training.lab.sets import api

SETS = "corpora/<slug:slug>/evaluation-sets/"

urlpatterns = [
    path(SETS, api.SetList.as_view(), name="api-evaluation-sets"),
    path(f"{SETS}import/", api.SetImport.as_view(), name="api-evaluation-set-import"),
    path(f"{SETS}make/", api.SetMake.as_view(), name="api-evaluation-set-make"),
    path("evaluation-sets/<int:pk>/", api.SetDetail.as_view(), name="api-evaluation-set"),
    path("evaluation-sets/<int:pk>/export/", api.SetExport.as_view(), name="api-evaluation-set-export"),
    path("evaluation-sets/<int:pk>/questions/", api.QuestionList.as_view(), name="api-evaluation-questions"),
    path("evaluation-questions/<int:pk>/", api.QuestionDetail.as_view(), name="api-evaluation-question"),
]
