"""The checks of a definition (codes SP501 to SP549), one file each."""
