"""One training: data in, a curve and weights out."""
