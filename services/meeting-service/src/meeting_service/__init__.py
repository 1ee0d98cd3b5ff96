"""Meetings about one sick-leave case, and joint assessments with Arbetsförmedlingen."""
