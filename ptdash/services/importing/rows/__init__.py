"""One module an aggregate: what its rows hold, and the rules that they keep."""
