"""What payloads must carry: the contract of each job, written down in a lock file, and held against what waits."""
