"""Arrays and floating point, NumPy or CuPy; nothing here knows of losses."""
