"""Documents that are to be forgotten, and the proof that they are."""
