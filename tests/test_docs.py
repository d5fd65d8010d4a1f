"""The docs tell the truth: every setting and every command is described."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from chat.protocol.events import AnyData

ROOT = Path(__file__).resolve().parent.parent
APPS = ("memosite", "knowledge", "training", "chat")


def documented(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def settings_read() -> list[str]:
    source = (ROOT / "memosite" / "settings.py").read_text(encoding="utf-8")
    return re.findall(r'env\.\w+\(\s*"(\w+)"', source)


def commands() -> list[str]:
    found = [path.stem for app in APPS for path in (ROOT / app / "management" / "commands").glob("[a-z]*.py")]
    return sorted(found)


@pytest.mark.parametrize("variable", settings_read())
def test_every_setting_is_documented(variable):
    assert f"| `{variable}` |" in documented("settings.md")


def test_no_documented_setting_is_gone():
    assert set(re.findall(r"^\| `(\w+)` \|", documented("settings.md"), re.M)) == set(settings_read())


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command):
    assert f"manage.py {command}" in documented("commands.md")


def test_only_settings_read_the_environment():
    allowed = {"settings.py", "environment.py", "checks.py"}
    # torchrun and accelerate tell each process its place in variables of their own: no setting of ours.
    told_by_a_launcher = {Path("training/engine/crew.py"), Path("training/engine/__main__.py")}
    told_by_a_launcher |= {Path("training/engine/devices.py")}  # CUDA's
    offenders = [
        path.relative_to(ROOT)
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"os\.(environ\[|environ\.get|getenv)", path.read_text(encoding="utf-8"))
        and path.name not in allowed
        and path.name != "serve.py"  # hands its environment on to the processes that it becomes
        and path.relative_to(ROOT) not in told_by_a_launcher
    ]
    assert offenders == []


def test_every_link_between_the_pages_leads_somewhere():
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_rest_address_is_documented():
    from django.urls import get_resolver

    page = documented("api.md")
    patterns = [
        entry for entry in get_resolver().reverse_dict if isinstance(entry, str) and entry.startswith("api-")
    ]
    for name in patterns:
        route = get_resolver().reverse_dict.getlist(name)[0][0][0][0]
        last = re.sub(r"%\(\w+\)[sd]", "", route).strip("/").split("/")[-1]
        assert f"{last}/" in page, f"{route} is not in docs/api.md"


def fields_described() -> dict[str, set[str]]:
    """The fields that docs/protocol.md describes of each event, the fields of nested objects among them."""
    described: dict[str, set[str]] = {}
    for kind, names, text in re.findall(r"^\|(.*?)\|(.*?)\|(.*)\|$", documented("protocol.md"), re.M):
        if name := re.fullmatch(r" `(\w+)` ", kind):
            fields = described.setdefault(name[1], set())
        elif not kind.strip() and described:
            fields |= {*re.findall(r"`(\w+)`", names), *re.findall(r"`(\w+)`", text)}
    return described


def fields_of(shape: type[BaseModel]) -> set[str]:
    """The fields of a message and of the objects that its lists hold."""
    found = set(shape.model_fields) - {"type"}
    for field in shape.model_fields.values():
        for inner in get_args(field.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= fields_of(inner)
    return found


@pytest.mark.parametrize("event", get_args(get_args(AnyData)[0]), ids=lambda event: event.__name__)
def test_every_field_of_every_event_is_in_the_protocol(event):
    kind = event.model_fields["type"].default
    assert fields_of(event) <= fields_described()[kind]
