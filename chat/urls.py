"""Addresses of the chat pages."""

from django.urls import path

from chat import source_views, views

urlpatterns = [
    path("chat/", views.conversations, name="conversations"),
    path("chat/history/", views.history, name="chat-history"),
    path("chat/turns/<int:pk>/", views.turn, name="turn"),
    path("chat/<int:pk>/", views.conversation, name="conversation"),
    path("chat/<int:pk>/rename/", views.rename, name="rename-conversation"),
    path("chat/<int:pk>/executive/", views.choose_executive, name="choose-executive"),
    path("chat/<int:pk>/delete/", views.delete, name="delete-conversation"),
    path("chat/turns/<int:turn>/sources/<int:index>/", source_views.sources, name="turn-sources"),
    path("chat/turns/<int:turn>/copy/", source_views.copy, name="turn-copy"),
]
