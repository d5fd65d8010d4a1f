"""What a memory was taught that is nearest to what it said, and how to tell it: plain Python, no weights read."""
