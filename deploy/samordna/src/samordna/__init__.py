"""Starting, watching and playing with the whole house on one machine."""
