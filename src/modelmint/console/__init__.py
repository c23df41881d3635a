"""Web pages, server-rendered. Filled by the showroom issue."""
