"""The only Ray code: driver, searcher, stopper, worker, cluster."""
