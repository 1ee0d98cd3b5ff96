"""Sick-leave cases: opened, followed, decided on, and what the person consents to in them."""
