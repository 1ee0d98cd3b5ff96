"""Every event of the house, declared once. The log keeps these names and fields for ever: add, never rename."""
