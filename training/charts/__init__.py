"""Drawings that templates show: what is measured, as bars and lines with a summary in words."""
