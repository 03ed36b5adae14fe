"""The shipped forecaster: an LSTM over one curve, with its siblings beside it."""
