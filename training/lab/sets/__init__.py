"""Sets of questions with the answers that are right: made by hand, from files, from feedback, and from pairs."""
