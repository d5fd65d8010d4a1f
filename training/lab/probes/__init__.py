"""What a version's MEMORY says when it is asked directly: what it learned, and what changed from another one."""
