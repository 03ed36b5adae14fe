"""One self-contained page, and its files."""
