"""What can be looked up: employments, what is known of their cases, what happened, and tips."""
