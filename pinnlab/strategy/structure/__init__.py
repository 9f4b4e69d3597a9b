"""What the conditions of an equation say of its solution: its time, its windows, its periods."""
