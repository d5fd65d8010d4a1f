"""The chat pages: what they answer, a module a part."""
