"""What people read: words in two languages, process maps, stories, documents."""
