"""Arrays and floating point with NumPy or CuPy, independent of losses."""
