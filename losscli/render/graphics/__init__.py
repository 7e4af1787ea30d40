"""How charts are drawn: their common style, and images of them."""
