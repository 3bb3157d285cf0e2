"""The operators' console: web pages for staff, rendered here, with nothing loaded from elsewhere."""
