"""Corpora with their people, and the documents in them."""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group
from django.db import models, transaction
from django.db.models import Q
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.urls import reverse

from memosite.errors import NotAllowed
from memosite.models import Endpoint, EndpointRole

if TYPE_CHECKING:
    from typing import Self

Person = AbstractBaseUser | AnonymousUser


class Role(models.TextChoices):
    """What a person may do with a corpus. Each role includes the ones before it."""

    READER = "reader"
    CURATOR = "curator"
    OWNER = "owner"


ROLES_FROM = {
    Role.READER: (Role.READER, Role.CURATOR, Role.OWNER),
    Role.CURATOR: (Role.CURATOR, Role.OWNER),
    Role.OWNER: (Role.OWNER,),
}


class CorpusQuerySet(models.QuerySet["Corpus"]):
    def for_role(self, person: Any, role: Role) -> Self:
        """Corpora on which the person has the role, or a higher one."""
        if not person.is_authenticated or not person.is_active:
            return self.none()
        if person.is_superuser:
            return self
        groups = person.groups.values("pk")
        wanted = Q()
        for held in ROLES_FROM[role]:
            wanted |= Q(**{f"{held}_group__in": groups})
        return self.filter(wanted).distinct()


class Corpus(models.Model):
    """A body of knowledge with its own people: those who read, those who curate, those who own it."""

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    generator = models.ForeignKey(
        Endpoint,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        limit_choices_to={"role": EndpointRole.GENERATOR},
        help_text="The language model that makes the pairs. Without one the built-in rules do.",
    )
    reader_group = models.OneToOneField(Group, on_delete=models.PROTECT, related_name="+", editable=False)
    curator_group = models.OneToOneField(Group, on_delete=models.PROTECT, related_name="+", editable=False)
    owner_group = models.OneToOneField(Group, on_delete=models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CorpusQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "corpora"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            if self._state.adding:
                for role in Role.values:
                    setattr(self, f"{role}_group", _new_group(f"{self.slug}: {role}s"))
            super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("corpus", args=[self.slug])

    def group(self, role: Role) -> Group:
        return getattr(self, f"{role}_group")

    def allows(self, person: Any, role: Role) -> bool:
        """Whether the person has the role, or a higher one: one small query, or none of
        prefetched groups."""
        if not person.is_authenticated or not person.is_active:
            return False
        groups = {getattr(self, f"{held}_group_id") for held in ROLES_FROM[role]}
        return person.is_superuser or any(group.pk in groups for group in person.groups.all())

    def require(self, person: Any, role: Role) -> None:
        """Raise NotAllowed unless the person has the role."""
        if not self.allows(person, role):
            raise NotAllowed(
                f"This needs the role of {role} in the corpus “{self.name}”. Ask one of its owners."
            )


def _new_group(name: str) -> Group:
    """A group without members: one that has the name already may hold people who were never let in here."""
    taken = set(Group.objects.filter(name__startswith=name).values_list("name", flat=True))
    names = chain([name], (f"{name} ({number})" for number in count(2)))
    return Group.objects.create(name=next(each for each in names if each not in taken))


@receiver(post_delete, sender=Corpus)
def _delete_groups(instance: Corpus, **_: Any) -> None:
    """The groups go with their corpus: whoever was in them must not get into a later one of the same slug."""
    Group.objects.filter(pk__in=[instance.group(role).pk for role in Role]).delete()


class DocumentQuerySet(models.QuerySet["Document"]):
    def current(self) -> Self:
        """The newest version of every document that was not deleted."""
        return self.filter(is_current=True)


class Document(models.Model):
    """One version of a document. A changed file becomes a new row; the old one stays for its lineage."""

    corpus = models.ForeignKey(Corpus, on_delete=models.CASCADE, related_name="documents")
    name = models.CharField(max_length=200, help_text="File name; the same name again is a new version.")
    title = models.CharField(max_length=300)
    date = models.DateField(null=True, blank=True, help_text="The day the document speaks from.")
    media_type = models.CharField(max_length=100)
    text = models.TextField()
    file = models.FileField(upload_to="documents/%Y/%m/", blank=True)
    checksum = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    uploaded_at = models.DateTimeField(auto_now_add=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["corpus", "name", "version"], name="one_row_a_version"),
            models.UniqueConstraint(
                fields=["corpus", "name"], condition=Q(is_current=True), name="one_current_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} (version {self.version})" if self.version > 1 else self.title


class Chunk(models.Model):
    """A passage of a document: ``text == document.text[start:end]``."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        ordering: ClassVar = ["document", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "position"], name="one_chunk_a_position")
        ]

    def __str__(self) -> str:
        return f"{self.document} [{self.start}:{self.end}]"
