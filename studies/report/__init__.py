"""One self-contained page that answers the question of a study."""
