"""ptdash: the staff dashboard of a small IT service provider."""
