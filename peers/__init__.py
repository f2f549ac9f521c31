"""Small real HTTP servers with state that stand for vendors' systems in tests and in the demonstration."""
