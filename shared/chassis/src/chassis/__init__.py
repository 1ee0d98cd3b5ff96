"""The machinery every service runs on. It knows no business noun."""
