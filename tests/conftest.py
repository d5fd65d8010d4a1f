"""What every test stands on: folders of its own, and a broker that nobody listens to."""

from __future__ import annotations

from pathlib import Path

import pytest
from celery import current_app
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# A machine that is busy with other work fails no test.
hypothesis_settings.register_profile("any pace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any pace")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests begin first, so that at the end no process of the suite is left alone with one."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(autouse=True)
def state_of_its_own(settings, tmp_path: Path) -> None:
    """Files that a test makes go to its own folder; static files come from the sources."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEMORY_DIR = tmp_path / "memories"
    settings.BROKER_DIR = tmp_path / "broker"
    settings.STATIC_ROOT = None
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick


@pytest.fixture(autouse=True, scope="session")
def nothing_is_sent_to_workers() -> None:
    """Messages of runs go to a queue in memory. Tests that want the work done call the task, or start a worker."""
    current_app.conf.update(broker_url="memory://", broker_transport_options={})
