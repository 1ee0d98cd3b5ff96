"""Read models: what is due next, which deadlines and tasks there are, which messages, and what happened in a case."""
