"""What has to hold before a version goes live."""
