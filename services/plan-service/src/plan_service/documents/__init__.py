"""Files that come with a plan: looked at before anything is recorded, kept encrypted, given back."""
