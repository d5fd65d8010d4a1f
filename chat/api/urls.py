"""REST addresses of the chat."""

from django.urls import path

from chat.api import asking, export, feedback, settings, sources, usage

urlpatterns = [
    path("corpora/<slug:slug>/ask/", asking.Ask.as_view(), name="api-ask"),
    path("corpora/<slug:slug>/executives/", asking.Executives.as_view(), name="api-executives"),
    path(
        "corpora/<slug:slug>/chat-settings/",
        settings.CorpusChatSettings.as_view(),
        name="api-chat-settings",
    ),
    path("conversations/", asking.ConversationList.as_view(), name="api-conversations"),
    path("conversations/export/", export.HistoryExport.as_view(), name="api-history"),
    path("usage/", usage.Usage.as_view(), name="api-usage"),
    path("conversations/<int:pk>/", asking.ConversationDetail.as_view(), name="api-conversation"),
    path("turns/<int:pk>/", asking.TurnDetail.as_view(), name="api-turn"),
    path("turns/<int:pk>/events/", asking.TurnEvents.as_view(), name="api-turn-events"),
    path("turns/<int:pk>/stream/", asking.TurnStream.as_view(), name="api-turn-stream"),
    path("turns/<int:pk>/stop/", asking.TurnStop.as_view(), name="api-turn-stop"),
    path("turns/<int:pk>/sources/", sources.TurnSources.as_view(), name="api-turn-sources"),
    path("turns/<int:pk>/feedback/", feedback.TurnFeedback.as_view(), name="api-turn-feedback"),
    path("corpora/<slug:slug>/demand/", feedback.DemandList.as_view(), name="api-demand"),
    path("corpora/<slug:slug>/demand/<int:pk>/", feedback.DemandDetail.as_view(), name="api-demand-group"),
]
