"""Forecasts of the unseen part of a curve."""
