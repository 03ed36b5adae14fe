"""The layouts of datasets on disk, one module each, and what they share."""
