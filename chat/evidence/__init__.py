"""What a memory was taught that is nearest to what it said: plain Python, no weights are read."""
