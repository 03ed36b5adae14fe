"""Forecasts of learning curves: what every forecaster takes and gives."""
