"""Which cell next, where, when to stop, what it all means; here the grid, prices and training times that all share."""
