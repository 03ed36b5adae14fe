"""Pure array functions, shipped with exported models."""
