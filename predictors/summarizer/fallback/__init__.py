"""Answers from a managed endpoint while the model cannot give them, without the personal data that can be found."""
