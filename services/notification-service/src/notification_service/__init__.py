"""What has to be done by when, who is told, and what happens when it is not done."""
