"""Files of other people, in and out: tables of numbers, exported studies, MONAI bundles."""
