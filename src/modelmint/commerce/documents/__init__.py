"""Plans and invoices as JSON, text, HTML; English and Chinese."""
