"""What is compared: each module is one framework, in a process of its own."""
