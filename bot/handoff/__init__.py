"""Handing a conversation to human staff: cases, their sealing, the desk that operators work at."""
