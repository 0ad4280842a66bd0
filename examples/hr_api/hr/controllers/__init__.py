"""One controller a subject. Each has its routes in its constructor, and notifies through `SendsNotifications`."""
