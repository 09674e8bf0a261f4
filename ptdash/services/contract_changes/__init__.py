"""What managers change about contracts: making them, package and fee, devices, terms, and what was agreed."""
