"""The steps of reflection synthesis with a language model (MeMo, arXiv 2605.15156), a module for each."""
