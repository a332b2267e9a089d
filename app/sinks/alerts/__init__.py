"""Alerts: rules on classes' shares in zones, and what is done when one holds."""
