"""REST addresses of the chat."""

from django.urls import path

from chat import api, api_export, api_feedback, api_settings, api_sources, api_usage

urlpatterns = [
    path("corpora/<slug:slug>/ask/", api.Ask.as_view(), name="api-ask"),
    path("corpora/<slug:slug>/executives/", api.Executives.as_view(), name="api-executives"),
    path(
        "corpora/<slug:slug>/chat-settings/",
        api_settings.CorpusChatSettings.as_view(),
        name="api-chat-settings",
    ),
    path("conversations/", api.ConversationList.as_view(), name="api-conversations"),
    path("conversations/export/", api_export.HistoryExport.as_view(), name="api-history"),
    path("usage/", api_usage.Usage.as_view(), name="api-usage"),
    path("conversations/<int:pk>/", api.ConversationDetail.as_view(), name="api-conversation"),
    path("turns/<int:pk>/", api.TurnDetail.as_view(), name="api-turn"),
    path("turns/<int:pk>/events/", api.TurnEvents.as_view(), name="api-turn-events"),
    path("turns/<int:pk>/stream/", api.TurnStream.as_view(), name="api-turn-stream"),
    path("turns/<int:pk>/stop/", api.TurnStop.as_view(), name="api-turn-stop"),
    path("turns/<int:pk>/sources/", api_sources.TurnSources.as_view(), name="api-turn-sources"),
    path("turns/<int:pk>/feedback/", api_feedback.TurnFeedback.as_view(), name="api-turn-feedback"),
    path("corpora/<slug:slug>/demand/", api_feedback.DemandList.as_view(), name="api-demand"),
    path(
        "corpora/<slug:slug>/demand/<int:pk>/", api_feedback.DemandDetail.as_view(), name="api-demand-group"
    ),
]
