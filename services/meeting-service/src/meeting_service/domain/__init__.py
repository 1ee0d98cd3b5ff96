"""The rules: what was heard of a case, what is known of its meetings, what may be asked, and what is answered."""
