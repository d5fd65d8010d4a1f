"""Addresses of the chat pages."""

from django.urls import path

from chat import (
    demand_views,
    export_views,
    feedback_views,
    settings_views,
    sharing_views,
    source_views,
    usage_views,
    views,
)

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
    path("chat/export/", export_views.export_history, name="export-history"),
    path("chat/turns/<int:pk>/share/", sharing_views.share, name="share-turn"),
    path("chat/turns/<int:pk>/unshare/", sharing_views.unshare, name="unshare-turn"),
    path("chat/shared/<str:token>/", sharing_views.shared_turn, name="shared-turn"),
    path(
        "chat/shared/<str:token>/sources/<int:index>/",
        sharing_views.shared_turn_sources,
        name="shared-turn-sources",
    ),
    path("usage/", usage_views.usage, name="usage"),
    path("usage/csv/", usage_views.usage_csv, name="usage-csv"),
    path("corpora/<slug:slug>/chat-settings/", settings_views.chat_settings, name="chat-settings"),
    path("chat/turns/<int:pk>/feedback/", feedback_views.turn_feedback, name="turn-feedback"),
    path("chat/turns/<int:pk>/feedback/remove/", feedback_views.remove_feedback, name="remove-feedback"),
    path("chat/news/<int:pk>/dismiss/", feedback_views.dismiss_news, name="dismiss-news"),
    path("corpora/<slug:slug>/demand/", demand_views.demand, name="demand"),
    path("corpora/<slug:slug>/demand/<int:pk>/", demand_views.decide, name="demand-decide"),
    path("corpora/<slug:slug>/demand/<int:pk>/pair/", demand_views.write_pair, name="demand-pair"),
]
