"""Base against head: what differs, what is new, and whether it is worse."""
