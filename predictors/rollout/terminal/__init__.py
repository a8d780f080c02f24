"""What a person does with rollouts at a terminal, but for the command line itself."""
