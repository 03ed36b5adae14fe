"""Parametric laws: rivals of the shipped forecaster, and its fallback."""
