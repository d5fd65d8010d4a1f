"""Addresses of the pages about sets of questions."""

from django.urls import path

from training.lab.sets import views

SETS = "corpora/<slug:slug>/evaluation-sets/"

urlpatterns = [
    path(SETS, views.evaluation_sets, name="evaluation-sets"),
    path(f"{SETS}make/", views.make, name="make-evaluation-set"),
    path(f"{SETS}import/", views.bring_in, name="import-evaluation-set"),
    path(f"{SETS}<int:pk>/", views.evaluation_set, name="evaluation-set"),
    path(f"{SETS}<int:pk>/change/", views.change, name="change-evaluation-set"),
    path(f"{SETS}<int:pk>/delete/", views.delete, name="delete-evaluation-set"),
    path(f"{SETS}<int:pk>/export/", views.take_out, name="export-evaluation-set"),
    path(f"{SETS}<int:pk>/questions/new/", views.new_question, name="new-evaluation-question"),
    path(f"{SETS}<int:pk>/questions/<int:question>/", views.evaluation_question, name="evaluation-question"),
    path(
        f"{SETS}<int:pk>/questions/<int:question>/delete/",
        views.delete_question,
        name="delete-evaluation-question",
    ),
]
