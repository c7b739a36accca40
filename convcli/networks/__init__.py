"""Networks as integers: named nodes with their inputs, and what they make, hold and cost."""
