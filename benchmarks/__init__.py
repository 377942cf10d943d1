"""How fast, and how near to the floor. Figures count as ratios of one run; absolute times belong to their machine."""
