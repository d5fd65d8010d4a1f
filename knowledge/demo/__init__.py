"""The demo corpus: documents of a fictional company, all written for this project."""

CORPUS = {
    "name": "Demo company",
    "description": "A fictional company's handbook, people, offices, projects, customers and incidents.",
}
