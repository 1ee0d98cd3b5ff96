"""The rules: what is known of a person, a case, a consent and a referral, what may be asked, and what is answered."""
