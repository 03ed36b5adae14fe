"""A study that runs or has run: status, live display, the page in Optuna dashboard kept fresh, doctor."""
