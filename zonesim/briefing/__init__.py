"""What people read: tables, documents, figures."""
