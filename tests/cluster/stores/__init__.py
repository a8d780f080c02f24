"""Storage that KServe's initializer downloads from: servers on this machine, under names that pods know."""
