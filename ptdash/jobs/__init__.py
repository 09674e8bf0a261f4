"""What workers do: entry points that carry only ids, call one service each and can run twice."""
