"""Addresses of the pages about corpora, trainings and memory versions."""

from django.urls import include, path

from training import merge_views, train_views, version_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("corpora/<slug:slug>/", views.corpus, name="corpus"),
    path("corpora/<slug:slug>/train/", train_views.train, name="train"),
    path("corpora/<slug:slug>/trainings/<int:pk>/", train_views.training_run, name="training-run"),
    path("corpora/<slug:slug>/trainings/<int:pk>/recipe/", train_views.run_recipe, name="run-recipe"),
    path("corpora/<slug:slug>/trainings/", views.train, name="start-training"),
    path("corpora/<slug:slug>/trainings/<int:pk>/cancel/", views.cancel, name="cancel-training"),
    path("corpora/<slug:slug>/trainings/<int:pk>/resume/", views.resume, name="resume-training"),
    path("corpora/<slug:slug>/rollback/", version_views.rollback, name="rollback"),
    path("corpora/<slug:slug>/versions/compare/", version_views.compare, name="compare-versions"),
    path("corpora/<slug:slug>/versions/merge/", merge_views.merge, name="merge-versions"),
    path("corpora/<slug:slug>/merges/<int:pk>/cancel/", merge_views.cancel, name="cancel-merge"),
    path("corpora/<slug:slug>/versions/<int:number>/", version_views.version, name="version"),
    path("corpora/<slug:slug>/versions/<int:number>/promote/", version_views.promote, name="promote-version"),
    path("corpora/<slug:slug>/versions/<int:number>/export/", version_views.export, name="export-version"),
    path("corpora/<slug:slug>/versions/<int:number>/rebuild/", version_views.rebuild, name="rebuild-version"),
    path("corpora/<slug:slug>/versions/<int:number>/delete/", version_views.delete, name="delete-version"),
    path("", include("training.lab.runs.urls")),
    path("", include("training.lab.gate.urls")),
    path("", include("training.lab.sets.urls")),
    path("", include("training.lab.probes.urls")),
    path("", include("training.lab.forgetting.urls")),
]
