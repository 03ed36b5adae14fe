"""Before a study: what each depth costs, and what the whole study will take."""
