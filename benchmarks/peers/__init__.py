"""What people use instead, each in an environment of its own, on the same film and with the same viewer."""
