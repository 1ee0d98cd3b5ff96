"""The rules: what is known of an employment's plan, what may be asked, and what is answered."""
