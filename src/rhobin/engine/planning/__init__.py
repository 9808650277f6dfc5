"""What a training takes, before it starts: memory, arithmetic, steps, hours, disk; and what is missing."""
