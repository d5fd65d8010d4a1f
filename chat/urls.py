"""Addresses of the chat pages."""

from django.urls import path

from chat.views import conversations, demand, export, feedback, settings, sharing, sources, usage

urlpatterns = [
    path("chat/", conversations.conversations, name="conversations"),
    path("chat/history/", conversations.history, name="chat-history"),
    path("chat/turns/<int:pk>/", conversations.turn, name="turn"),
    path("chat/<int:pk>/", conversations.conversation, name="conversation"),
    path("chat/<int:pk>/rename/", conversations.rename, name="rename-conversation"),
    path("chat/<int:pk>/executive/", conversations.choose_executive, name="choose-executive"),
    path("chat/<int:pk>/delete/", conversations.delete, name="delete-conversation"),
    path("chat/turns/<int:turn>/sources/<int:index>/", sources.sources, name="turn-sources"),
    path("chat/turns/<int:turn>/copy/", sources.copy, name="turn-copy"),
    path("chat/export/", export.export_history, name="export-history"),
    path("chat/turns/<int:pk>/share/", sharing.share, name="share-turn"),
    path("chat/turns/<int:pk>/unshare/", sharing.unshare, name="unshare-turn"),
    path("chat/shared/<str:token>/", sharing.shared_turn, name="shared-turn"),
    path(
        "chat/shared/<str:token>/sources/<int:index>/",
        sharing.shared_turn_sources,
        name="shared-turn-sources",
    ),
    path("usage/", usage.usage, name="usage"),
    path("usage/csv/", usage.usage_csv, name="usage-csv"),
    path("corpora/<slug:slug>/chat-settings/", settings.chat_settings, name="chat-settings"),
    path("chat/turns/<int:pk>/feedback/", feedback.turn_feedback, name="turn-feedback"),
    path("chat/turns/<int:pk>/feedback/remove/", feedback.remove_feedback, name="remove-feedback"),
    path("chat/news/<int:pk>/dismiss/", feedback.dismiss_news, name="dismiss-news"),
    path("corpora/<slug:slug>/demand/", demand.demand, name="demand"),
    path("corpora/<slug:slug>/demand/<int:pk>/", demand.decide, name="demand-decide"),
    path("corpora/<slug:slug>/demand/<int:pk>/pair/", demand.write_pair, name="demand-pair"),
]
