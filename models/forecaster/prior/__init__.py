"""The curves that the shipped forecaster is fitted on, and the fit."""
