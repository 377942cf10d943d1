"""What is kept of all benchmarks, and what is said of it."""
