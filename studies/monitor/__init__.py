"""A study that runs or has run: status, live display, Optuna dashboard, doctor."""
