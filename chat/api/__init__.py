"""REST of the chat, a module a part."""
