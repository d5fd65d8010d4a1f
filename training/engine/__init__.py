"""The training engine: question-answer pairs in, a MEMORY model on disk out. Plain Python and torch, no Django.

``python -m training.engine train --pairs pairs.jsonl --output DIR`` trains a MEMORY from scratch and
``training.engine.recall.LocalMemory.load(DIR)`` asks it. Importing this package imports nothing heavy, nor do
its modules that only read pairs, configuration and manifests; torch comes with ``run`` and ``recall``.
"""

ENGINE_VERSION = "2"
