def written(f): return "x","y"
