"""What splitting a document gives, as tests look at it."""

from predictors.summarizer.text.clauses import split_clauses


def pieces(text: str) -> list[str]:
    """The clauses without the white space that belongs to them."""
    return [text[clause.start : clause.end].strip() for clause in split_clauses(text)]


def headings(text: str) -> list[str]:
    return [text[clause.start : clause.end].strip() for clause in split_clauses(text) if clause.heading]


def sections(text: str) -> list[str]:
    return [clause.section for clause in split_clauses(text)]
