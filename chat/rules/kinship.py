"""Kinship terms as compositions of nearer ones, for relations that MEMORY was never told.

A definition is a set of paths; ("parent", "mother") reads "the mother of a parent". Each step is first asked
for by its own name, so a stated relation is never replaced by a composed one.
"""

from __future__ import annotations

Path = tuple[str, ...]

#: Relation -> its paths.
COMPOSED: dict[str, tuple[Path, ...]] = {
    "parent": (("mother",), ("father",)),
    "child": (("son",), ("daughter",)),
    "sibling": (("brother",), ("sister",)),
    "spouse": (("husband",), ("wife",)),
    "grandparent": (("parent", "parent"),),
    "grandmother": (("parent", "mother"),),
    "grandfather": (("parent", "father"),),
    "grandchild": (("child", "child"),),
    "grandson": (("child", "son"),),
    "granddaughter": (("child", "daughter"),),
    "aunt": (("parent", "sister"),),
    "uncle": (("parent", "brother"),),
    "niece": (("sibling", "daughter"),),
    "nephew": (("sibling", "son"),),
    "cousin": (("parent", "sibling", "child"),),
    "male cousin": (("parent", "sibling", "son"),),
    "female cousin": (("parent", "sibling", "daughter"),),
    "mother-in-law": (("spouse", "mother"),),
    "father-in-law": (("spouse", "father"),),
    "parent-in-law": (("spouse", "parent"),),
    "son-in-law": (("child", "husband"),),
    "daughter-in-law": (("child", "wife"),),
    "brother-in-law": (("spouse", "brother"), ("sibling", "husband")),
    "sister-in-law": (("spouse", "sister"), ("sibling", "wife")),
    "great-aunt": (("grandparent", "sister"),),
    "great-uncle": (("grandparent", "brother"),),
    "great-grandparent": (("parent", "parent", "parent"),),
    "great-grandmother": (("parent", "parent", "mother"),),
    "great-grandfather": (("parent", "parent", "father"),),
    "great-grandchild": (("child", "child", "child"),),
    "great-grandson": (("child", "child", "son"),),
    "great-granddaughter": (("child", "child", "daughter"),),
}
