"""The story: two employers' duty, played through REST on the real stack, with time that is moved."""
