"""Options: how configurations and the command line are read, and what is said of mistakes."""
