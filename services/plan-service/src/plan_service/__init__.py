"""Employers' plans for return to work: asked for, handed in, assessed (SFB 30:6)."""
