"""Forecasts of training curves: what every forecaster takes and gives, and how curves are made ready for it."""
