"""Files that tell Supervisor or systemd to keep workers running."""
