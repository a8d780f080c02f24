"""Ways to score the forest and the text classifier, side by side: ``make bench-backends``."""
