"""Documents: clauses, what matters in them, and which clauses support a point."""
