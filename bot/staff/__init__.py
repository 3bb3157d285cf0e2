"""Who may work in the console: accounts, logging in, sessions, the audit log, the administrators' recovery key."""
