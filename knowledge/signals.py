"""What knowledge announces to the apps above it, which it does not import."""

from django.dispatch import Signal

# Sent with run=GenerationRun when a run with ``go_live`` has stored and approved its pairs. Receivers must be
# idempotent: a run that is resumed announces itself again.
reflections_ready = Signal()

# Sent with corpus, document=ParsedDocument and checksum (of its file) before a document is stored. A receiver that
# knows why it must not be in the corpus raises DocumentRefused.
document_arrives = Signal()

# Sent with ids (of pairs, of one corpus or several) and compare=bool once the change is stored. A decision alone
# changes nothing beside the pair; ``compare`` says that wording or standing changed, so that the pair is
# held against its neighbours anew: an edit, a new pair, a pair that comes back from being rejected.
reflections_changed = Signal()

# Sent with reflections=QuerySet and person=User, who looks. A receiver answers with a list of
# knowledge.lineage.TrainedVersion.
versions_trained_on = Signal()

# Sent with pair=Reflection and person=User, who looks. A receiver answers with a list of
# knowledge.suggestions.Suggestion: what people said who suggested the pair.
pairs_suggested = Signal()
