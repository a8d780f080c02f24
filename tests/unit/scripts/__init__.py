"""The programs in scripts/ that people and workflows call, each as a process of its own."""
