"""Documents as people have them (web pages, PDF, Word, Markdown, text in any charset) → plain text."""
