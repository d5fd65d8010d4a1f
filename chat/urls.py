"""Addresses of the chat pages."""

from django.urls import path

from chat import views

urlpatterns = [
    path("chat/", views.conversations, name="conversations"),
    path("chat/history/", views.history, name="chat-history"),
    path("chat/turns/<int:pk>/", views.turn, name="turn"),
    path("chat/<int:pk>/", views.conversation, name="conversation"),
    path("chat/<int:pk>/rename/", views.rename, name="rename-conversation"),
    path("chat/<int:pk>/executive/", views.choose_executive, name="choose-executive"),
    path("chat/<int:pk>/delete/", views.delete, name="delete-conversation"),
]
