"""Container images: the tables, the short names, and what is known of an image."""
