"""The gate at work: a worse version does not go live by any way, unless an owner says why; all is recorded."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.urls import reverse

from knowledge.models import Corpus, Role
from memosite.errors import Conflict, NotAllowed
from tests.evaluation.gating import QUESTIONS, evaluate, make_rules, make_set
from tests.factories import CorpusFactory, MemoryVersionFactory, ReflectionFactory
from tests.workbench import browser_of, make_person
from training.lab.gate.rules import RULES, Finding, GateRefused, Rule
from training.lab.gate.services import approve, checks_for, remove_rules, set_rules, withdraw
from training.models import GateCheck, GateRules, MemoryVersion, TrainingRun
from training.services import BadOverride, live_version, offer, promote, rollback

pytestmark = pytest.mark.django_db
WORSE = "Recall on held-out wordings is 60 %; at least 90 % is asked for."


@pytest.fixture
def corpus() -> Corpus:
    corpus: Corpus = CorpusFactory(slug="harbour", name="Harbour")
    make_rules(corpus, least_recall=0.9)
    return corpus


@pytest.fixture
def owner(corpus: Corpus) -> Any:
    return make_person("olga", corpus, Role.OWNER)


@pytest.fixture
def good(corpus: Corpus, owner: Any) -> MemoryVersion:
    """The live version, with a recall of 95 %."""
    version: MemoryVersion = MemoryVersionFactory(corpus=corpus, metrics={"held_out_recall": 0.95})
    promote(version, owner, reason="It knows the handbook")
    return version


@pytest.fixture
def worse(corpus: Corpus, good: MemoryVersion) -> MemoryVersion:
    version: MemoryVersion = MemoryVersionFactory(corpus=corpus, metrics={"held_out_recall": 0.6})
    return version


def outcomes(corpus: Corpus) -> list[tuple[int | None, str]]:
    """Of each attempt the version's number and the outcome, the newest first."""
    rows = GateCheck.objects.filter(corpus=corpus)
    return [(row.version.number if row.version else None, row.outcome) for row in rows]


# --- A worse version is refused ------------------------------------------------------------------------------
def test_a_version_that_passes_goes_live_and_what_was_found_is_kept_with_the_move(good, owner):
    check = GateCheck.objects.get()
    assert (check.outcome, check.checked_by, check.version) == ("passed", owner, good)
    assert check.findings[0]["words"].startswith("Recall on held-out wordings is 95 %")
    assert check.move.reason == "It knows the handbook"
    assert live_version(good.corpus) == good


def test_a_worse_version_is_refused_and_the_attempt_kept(worse, good, owner):
    with pytest.raises(GateRefused, match="at least 90 % is asked for"):
        promote(worse, owner, reason="It is newer")
    assert live_version(good.corpus) == good
    check = GateCheck.objects.first()
    assert (check.outcome, check.version, check.move, check.checked_by) == ("refused", worse, None, owner)
    assert check.findings == [{"rule": "least_recall", "passed": False, "words": WORSE}]


def test_the_page_refuses_a_worse_version_and_says_why(worse, good, owner):
    browser = browser_of(owner)
    browser.defaults["HTTP_REFERER"] = f"http://testserver{worse.get_absolute_url()}"
    address = reverse("promote-version", args=["harbour", worse.number])
    page = browser.post(address, {"reason": "It is newer"}, follow=True).content.decode()
    assert f"The gate refuses Harbour v2. {WORSE}" in page
    assert live_version(good.corpus) == good


def test_the_workbench_refuses_a_worse_version_and_says_why(worse, good, owner):
    address = reverse("admin:training_memoryversion_promote", args=[worse.pk])
    answer = browser_of(owner).post(address, {"reason": "It is newer"}, follow=True)
    assert WORSE in " ".join(str(message) for message in answer.context["messages"])
    assert live_version(good.corpus) == good


@pytest.mark.parametrize("way", ["promote", "alias"])
def test_rest_refuses_a_worse_version_with_the_findings(worse, good, owner, way):
    browser = browser_of(owner)
    if way == "promote":
        address = reverse("api-promote", args=[worse.pk])
        answer = browser.post(address, {"reason": "It is newer"}, "application/json")
    else:
        address = reverse("api-alias", args=["harbour", "live"])
        answer = browser.put(address, {"reason": "Newer", "version": worse.number}, "application/json")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "gate_refused")
    assert problem["findings"] == [{"rule": "least_recall", "passed": False, "words": WORSE}]
    assert live_version(good.corpus) == good


def test_the_command_refuses_a_worse_version(worse, good):
    with pytest.raises(CommandError, match="The gate refuses Harbour v2"):
        call_command("promote", "harbour", "2")
    assert live_version(good.corpus) == good
    assert outcomes(good.corpus)[0] == (2, "refused")


def test_a_version_that_loses_against_the_live_one_is_refused_though_its_recall_will_do(corpus, good, owner):
    set_rules(corpus, owner, {"least_recall": 0.5, "most_drop": 0.02})
    worse = MemoryVersionFactory(corpus=corpus, metrics={"held_out_recall": 0.9})
    with pytest.raises(
        GateRefused, match=r"is 90 %, of the live version 95 %; a loss of 2 points is allowed"
    ):
        promote(worse, owner, reason="It is newer")


def test_a_version_that_misses_a_golden_question_is_refused(corpus, good, owner):
    set_rules(corpus, owner, {"least_recall": None, "golden_must_pass": True})
    golden, version = make_set(corpus), MemoryVersionFactory(corpus=corpus)
    with pytest.raises(GateRefused, match="Evaluate it on that set"):
        promote(version, owner, reason="It is newer")
    evaluate(version, golden, wrong=QUESTIONS[:1])
    with pytest.raises(GateRefused, match="misses 1 of 2 questions"):
        promote(version, owner, reason="It was evaluated")
    evaluate(version, golden)
    promote(version, owner, reason="It was mended")
    assert [outcome for _, outcome in outcomes(corpus)[:3]] == ["passed", "refused", "refused"]


def test_the_candidate_moves_without_a_gate(worse, owner):
    promote(worse, owner, reason="To look at", alias="candidate")
    assert outcomes(worse.corpus) == [(1, "passed")]


def test_a_corpus_without_rules_is_as_it_was(owner):
    version = MemoryVersionFactory()
    promote(version, reason="First")
    assert not GateCheck.objects.filter(corpus=version.corpus).exists()


@pytest.mark.django_db(transaction=True)
def test_the_rules_are_checked_in_the_transaction_that_moves_the_alias(monkeypatch, worse, owner):
    seen = []

    def look(case: Any) -> list[Finding]:
        seen.append(connection.in_atomic_block)
        return [Finding("look", False, "No.")]

    monkeypatch.setitem(RULES, "look", Rule("Look", look))
    with pytest.raises(GateRefused):
        promote(worse, owner, reason="It is newer")
    assert seen == [True]
    assert outcomes(worse.corpus)[0] == (2, "refused")  # kept although that transaction was undone


# --- Overriding ----------------------------------------------------------------------------------------------
def test_an_owner_overrides_with_a_reason_that_is_recorded_with_what_failed(worse, owner):
    promote(worse, owner, reason="It is newer", override=" The old one leaks. ")
    check = GateCheck.objects.first()
    assert (check.outcome, check.override_reason) == ("overridden", "The old one leaks.")
    assert (check.passed, check.findings[0]["words"], check.checked_by) == (False, WORSE, owner)
    assert check.move.to_version == worse == live_version(worse.corpus)


@pytest.mark.parametrize("way", ["page", "workbench", "rest", "command"])
def test_every_way_takes_an_override(worse, owner, way):
    browser, data = browser_of(owner), {"reason": "Newer", "override": "The old one leaks."}
    if way == "page":
        browser.post(reverse("promote-version", args=["harbour", 2]), data)
    elif way == "workbench":
        browser.post(reverse("admin:training_memoryversion_promote", args=[worse.pk]), data)
    elif way == "rest":
        browser.post(reverse("api-promote", args=[worse.pk]), data, "application/json")
    else:
        call_command("promote", "harbour", "2", "--override", "The old one leaks.", "--user", "olga")
    check = GateCheck.objects.first()
    assert (check.outcome, check.override_reason, check.checked_by) == (
        "overridden",
        "The old one leaks.",
        owner,
    )
    assert live_version(worse.corpus) == worse


def test_somebody_who_is_no_owner_cannot_override(worse, corpus, good):
    curator = make_person("cara", corpus, Role.CURATOR)
    with pytest.raises(NotAllowed, match="role of owner"):
        promote(worse, curator, reason="It is newer", override="Because.")
    assert live_version(corpus) == good


@pytest.mark.parametrize(("override", "refusal"), [("   ", GateRefused), ("x" * 301, BadOverride)])
def test_an_override_needs_a_reason_that_can_be_kept(worse, good, owner, override, refusal):
    with pytest.raises(refusal):
        promote(worse, owner, reason="It is newer", override=override)
    assert live_version(good.corpus) == good


def test_a_reason_to_override_what_passes_is_not_recorded_as_one(good, corpus, owner):
    better = MemoryVersionFactory(corpus=corpus, metrics={"held_out_recall": 0.99})
    promote(better, owner, reason="Better", override="Just in case")
    assert (GateCheck.objects.first().outcome, GateCheck.objects.first().override_reason) == ("passed", "")


# --- Trainings that go live ----------------------------------------------------------------------------------
def test_a_training_that_was_to_go_live_stays_the_candidate_and_its_log_says_why(worse, good, owner):
    told = offer(worse, owner, go_live=True, reason="Training run 1 asked for it")
    assert told == f"It did not go live, it is the candidate: The gate refuses Harbour v2. {WORSE}"
    assert live_version(good.corpus) == good
    assert worse.aliases.get().name == "candidate"
    assert outcomes(good.corpus)[0] == (2, "refused")


def test_a_training_that_is_repeated_after_it_was_refused_changes_nothing(worse, good, owner):
    for _ in range(2):
        told = offer(worse, owner, go_live=True, reason="Training run 1 asked for it")
    assert told == ""
    assert live_version(good.corpus) == good


def test_the_command_train_ends_with_the_reason_where_the_gate_refuses(monkeypatch, good, corpus):
    def make_a_worse_one(run: TrainingRun) -> None:
        metrics = {"trained_recall": 0.7, "held_out_recall": 0.6}
        version = MemoryVersionFactory(corpus=run.corpus, metrics=metrics)
        TrainingRun.objects.filter(pk=run.pk).update(version=version)
        run.add_log(offer(version, None, go_live=run.go_live, reason="Training asked for it"))

    monkeypatch.setattr("training.management.commands.train.perform_training", make_a_worse_one)
    ReflectionFactory(corpus=corpus)
    with pytest.raises(CommandError, match="It did not go live, it is the candidate: The gate refuses"):
        call_command("train", "harbour", "--go-live", "--here")
    assert live_version(corpus) == good


# --- Rollback ------------------------------------------------------------------------------------------------
def test_a_rollback_is_never_refused_but_recorded_with_what_was_found(worse, good, corpus, owner):
    promote(worse, owner, reason="Newer", override="The old one leaks.")
    set_rules(corpus, owner, {"least_recall": 0.99})
    assert rollback(corpus, owner).to_version == good
    check = GateCheck.objects.first()
    assert (check.outcome, check.passed, check.version) == ("rolled back", False, good)
    assert "at least 99 %" in check.findings[0]["words"]


def test_a_rule_that_binds_rollbacks_refuses_them(monkeypatch, good, corpus, owner):
    better = MemoryVersionFactory(corpus=corpus, metrics={"held_out_recall": 0.99})
    promote(better, owner, reason="Better")
    rule = Rule("Leak", lambda case: [Finding("leak", False, "It leaks.")], binds_rollback=True)
    monkeypatch.setitem(RULES, "leak", rule)
    with pytest.raises(GateRefused, match="It leaks"):
        rollback(corpus, owner)
    assert live_version(corpus) == better


# --- The second approver ---------------------------------------------------------------------------------------
@pytest.fixture
def other_owner(corpus: Corpus) -> Any:
    return make_person("otto", corpus, Role.OWNER)


@pytest.fixture
def waiting(corpus: Corpus, owner: Any) -> MemoryVersion:
    """A version that only lacks an approval."""
    set_rules(corpus, owner, {"least_recall": None, "needs_second_approver": True})
    version: MemoryVersion = MemoryVersionFactory(corpus=corpus)
    return version


@pytest.mark.parametrize("way", ["page", "workbench", "rest"])
def test_an_owner_approves_and_another_one_promotes(waiting, corpus, owner, other_owner, way):
    addresses = {
        "page": reverse("approve-version", args=["harbour", waiting.number]),
        "workbench": reverse("admin:training_memoryversion_approve", args=[waiting.pk]),
        "rest": reverse("api-approve", args=[waiting.pk]),
    }
    browser_of(owner).post(addresses[way])
    with pytest.raises(GateRefused, match="another owner has to"):
        promote(waiting, owner, reason="I like it")
    promote(waiting, other_owner, reason="We like it")
    assert live_version(corpus) == waiting


@pytest.mark.parametrize("way", ["page", "workbench", "rest"])
def test_an_approval_can_be_withdrawn(waiting, owner, other_owner, way):
    approve(waiting, owner)
    browser = browser_of(owner)
    if way == "page":
        browser.post(reverse("withdraw-approval", args=["harbour", waiting.number]))
    elif way == "workbench":
        browser.post(reverse("admin:training_memoryversion_withdraw", args=[waiting.pk]))
    else:
        browser.delete(reverse("api-approve", args=[waiting.pk]))
    with pytest.raises(GateRefused, match="No owner has approved it"):
        promote(waiting, other_owner, reason="We liked it")


def test_one_approves_once_and_withdraws_what_one_gave(waiting, owner, other_owner):
    approve(waiting, owner)
    with pytest.raises(Conflict, match="already"):
        approve(waiting, owner)
    with pytest.raises(Conflict, match="nothing to withdraw"):
        withdraw(waiting, other_owner)
    assert waiting.approvals.count() == 1


def test_only_an_owner_who_may_ask_a_version_approves_it(corpus, owner):
    closed = MemoryVersionFactory(corpus=corpus, corpora=[CorpusFactory(slug="secret")])
    for person in (owner, make_person("cara", corpus, Role.CURATOR)):
        with pytest.raises(NotAllowed):
            approve(closed, person)


def test_a_note_that_is_too_long_is_refused_over_rest(waiting, owner):
    address = reverse("api-approve", args=[waiting.pk])
    assert browser_of(owner).post(address, {"note": "x" * 301}, "application/json").status_code == 400
    assert not waiting.approvals.exists()


# --- Setting the rules ---------------------------------------------------------------------------------------
def test_an_owner_sets_the_rules_on_the_page_and_every_change_is_kept(corpus, owner):
    address = reverse("gate", args=["harbour"])
    browser = browser_of(owner)
    browser.post(address, {"golden_must_pass": "on", "least_recall": "0.8", "most_drop": ""})
    rules = GateRules.objects.get()
    assert (rules.golden_must_pass, rules.least_recall, rules.most_drop) == (True, 0.8, None)
    assert rules.history.first().history_user == owner
    page = browser.get(address).content.decode()
    assert (
        "olga: Golden sets: every question answered right; Least recall: on held-out wordings at least 80 %"
        in page
    )


@pytest.mark.parametrize("share", ["1.2", "-0.1", "ninety", "nan"])
def test_the_page_and_rest_refuse_what_is_no_share_and_change_nothing(corpus, owner, share):
    browser = browser_of(owner)
    answer = browser.post(reverse("gate", args=["harbour"]), {"least_recall": share})
    assert answer.status_code == 422
    assert answer.context["form"].errors["least_recall"]
    rest = browser.put(reverse("api-gate", args=["harbour"]), {"least_recall": share}, "application/json")
    assert (rest.status_code, list(rest.json()["errors"])) == (400, ["least_recall"])
    assert GateRules.objects.get().least_recall == 0.9


def test_rest_sets_replaces_and_removes_the_rules(corpus, owner):
    address, browser = reverse("api-gate", args=["harbour"]), browser_of(owner)
    told = browser.put(address, {"most_drop": 0.02, "golden_must_pass": True}, "application/json").json()
    expected = {
        "is_set": True,
        "golden_must_pass": True,
        "least_recall": None,
        "most_false_answers": None,
        "most_drop": 0.02,
        "needs_second_approver": False,
    }
    assert told == browser.get(address).json() == expected
    assert browser.delete(address).status_code == 204
    assert browser.get(address).json()["is_set"] is False
    assert GateRules.history.first().history_type == "-"


def test_the_workbench_sets_the_rules_of_corpora_that_one_owns(corpus, owner):
    other = CorpusFactory(slug="other")
    browser, add = browser_of(owner), reverse("admin:training_gaterules_add")
    remove_rules(corpus, owner)
    browser.post(add, {"corpus": other.pk, "least_recall": "0.5"})
    assert not GateRules.objects.exists()
    browser.post(add, {"corpus": corpus.pk, "least_recall": "0.5"})
    rules = GateRules.objects.get()
    assert (rules.corpus, rules.least_recall, rules.golden_must_pass) == (corpus, 0.5, False)
    change = reverse("admin:training_gaterules_change", args=[rules.pk])
    browser.post(change, {"least_recall": "0.7"})
    assert GateRules.objects.get().least_recall == 0.7
    browser.post(reverse("admin:training_gaterules_delete", args=[rules.pk]), {"post": "yes"})
    assert not GateRules.objects.exists()
    assert [row.history_user for row in GateRules.history.all()[:3]] == [owner] * 3


def test_only_an_owner_changes_or_removes_the_rules(corpus):
    curator = make_person("cara", corpus, Role.CURATOR)
    for deed in (
        lambda: set_rules(corpus, curator, {"least_recall": 0.1}),
        lambda: remove_rules(corpus, curator),
    ):
        with pytest.raises(NotAllowed):
            deed()
    rules = GateRules.objects.get()
    change = reverse("admin:training_gaterules_change", args=[rules.pk])
    assert browser_of(curator).post(change, {"least_recall": "0.1"}).status_code == 403
    assert GateRules.objects.get().least_recall == 0.9


# --- What is shown -------------------------------------------------------------------------------------------
def test_the_page_shows_the_rules_the_state_of_the_candidate_and_what_was_decided(worse, good, owner):
    offer(worse, owner, go_live=True, reason="Training run 1 asked for it")
    page = browser_of(owner).get(reverse("gate", args=["harbour"])).content.decode()
    assert "It does not pass: 1 of 1 finding fails." in page
    assert page.count(WORSE) == 2  # of the candidate now, and in the history
    assert ">refused<" in page and ">passed<" in page
    assert "Go live against the gate" in page


def test_a_reader_sees_the_gate_but_no_forms(worse, corpus):
    reader = make_person("rita", corpus, Role.READER)
    page = browser_of(reader).get(reverse("gate", args=["harbour"]) + "?version=2").content.decode()
    assert WORSE in page
    assert "on held-out wordings at least 90 %" in page
    assert 'method="post"' not in page.split("<main", 1)[1]


@pytest.mark.parametrize("number", ["99", "two"])
def test_a_version_that_is_not_there_is_not_found(worse, owner, number):
    assert browser_of(owner).get(reverse("gate", args=["harbour"]), {"version": number}).status_code == 404


def test_a_corpus_without_versions_or_rules_has_a_page_too(owner):
    corpus = CorpusFactory(slug="empty")
    owner.groups.add(corpus.owner_group)
    page = browser_of(owner).get(reverse("gate", args=["empty"])).content.decode()
    assert "There is no version yet" in page
    assert "This corpus has no gate" in page


def test_the_findings_are_shown_before_promotion_on_the_version_compare_and_workbench_pages(
    worse, good, owner
):
    browser = browser_of(owner)
    pages = (
        worse.get_absolute_url(),
        reverse("compare-versions", args=["harbour"]) + "?a=1&b=2",
        reverse("admin:training_memoryversion_change", args=[worse.pk]),
    )
    for address in pages:
        assert WORSE in browser.get(address).content.decode()
    assert "Going live" in browser.get(good.get_absolute_url()).content.decode()


def test_a_finding_that_wants_an_evaluation_leads_curators_to_its_form(corpus, good, owner):
    GateRules.objects.update(golden_must_pass=True)
    make_set(corpus, "Must & know")
    version = MemoryVersionFactory(corpus=corpus, metrics={"held_out_recall": 0.95})
    link = f"{reverse('evaluations', args=['harbour'])}?set=Must%20%26%20know&amp;version={version.number}#"
    pages = (
        reverse("gate", args=["harbour"]),
        version.get_absolute_url(),
        reverse("compare-versions", args=["harbour"]) + "?a=1&b=2",
        reverse("admin:training_memoryversion_change", args=[version.pk]),
    )
    for address in pages:
        assert link in browser_of(owner).get(address).content.decode(), address
    reader = browser_of(make_person("rita", corpus, Role.READER))
    assert link not in reader.get(pages[0]).content.decode()
    state = browser_of(owner).get(reverse("api-version-gate", args=[version.pk])).json()
    assert [finding["evaluation_set"] for finding in state["findings"]] == ["Must & know", ""]


def test_rest_tells_how_a_version_stands_and_lists_every_attempt(worse, good, owner):
    browser = browser_of(owner)
    state = browser.get(reverse("api-version-gate", args=[worse.pk])).json()
    assert (state["passes"], [finding["words"] for finding in state["findings"]]) == (False, [WORSE])
    promote(worse, owner, reason="Newer", override="The old one leaks.")
    newest, oldest = browser.get(reverse("api-gate-checks", args=["harbour"])).json()["results"]
    assert (newest["version"], newest["outcome"], newest["override_reason"], newest["checked_by"]) == (
        2,
        "overridden",
        "The old one leaks.",
        "olga",
    )
    assert (oldest["version"], oldest["outcome"]) == (1, "passed")


def test_the_workbench_lists_the_attempts_and_shows_one(worse, good, owner):
    promote(worse, owner, reason="Newer", override="The old one leaks.")
    browser = browser_of(owner)
    assert (
        "The old one leaks." in browser.get(reverse("admin:training_gatecheck_changelist")).content.decode()
    )
    check = GateCheck.objects.first()
    shown = browser.get(reverse("admin:training_gatecheck_change", args=[check.pk])).content.decode()
    assert f"FAILS  Least recall: {WORSE}" in shown


def test_an_attempt_with_a_closed_version_is_hidden_from_who_may_not_see_it(corpus, good, owner):
    secret = CorpusFactory(slug="secret")
    closed = MemoryVersionFactory(corpus=corpus, corpora=[secret], metrics={"held_out_recall": 0.1})
    insider = make_person("ines", corpus, Role.OWNER)
    insider.groups.add(secret.reader_group)
    with pytest.raises(GateRefused):
        promote(closed, insider, reason="It knows of the tunnel", narrow=True)
    assert [check.outcome for check in checks_for(corpus, insider)] == ["refused", "passed"]
    assert [check.outcome for check in checks_for(corpus, owner)] == ["passed"]
    page = browser_of(owner).get(reverse("gate", args=["harbour"])).content.decode()
    assert "10 %" not in page


# --- The command ---------------------------------------------------------------------------------------------
def test_the_command_prints_the_findings_and_fails_where_they_do(worse, good, capsys):
    with pytest.raises(CommandError, match="Harbour v2 does not pass: 1 of 1 findings"):
        call_command("gate", "harbour", "2")
    assert capsys.readouterr().out == f"FAILS  Least recall: {WORSE}\n"
    assert outcomes(good.corpus) == [(1, "passed")]  # to look is no attempt


def test_the_command_passes_what_passes_and_looks_at_the_candidate_by_itself(good, owner, capsys):
    promote(good, owner, reason="To look at", alias="candidate")
    call_command("gate", "harbour")
    out = capsys.readouterr().out
    assert out.startswith("holds  Least recall: ")
    assert out.endswith("Harbour v1 may go live.\n")


def test_the_command_says_that_there_is_no_gate(corpus, good, owner, capsys):
    remove_rules(corpus, owner)
    call_command("gate", "harbour", "1")
    assert "asks for nothing" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "words"), [([], "no candidate"), (["9"], "no version 9")])
def test_the_command_needs_a_version_that_is_there(good, arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("gate", "harbour", *arguments)
