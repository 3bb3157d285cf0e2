"""The directory comes in and goes out."""
