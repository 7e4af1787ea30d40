"""What the program does with blocks of rows: evaluate, compare, rank and write row losses."""
