"""Read models: the meetings of a case, and the invitations of a party."""
