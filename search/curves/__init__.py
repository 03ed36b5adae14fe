"""What finished runs measured, and the data curves (DSC against cases) through it, with intervals; pure."""
