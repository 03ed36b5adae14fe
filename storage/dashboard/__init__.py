"""What Optuna dashboard is shown of a study, and its server."""
