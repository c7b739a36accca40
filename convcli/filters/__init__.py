"""Filter pictures by layers: a request becomes a recipe, its stages become a plan, and the plan runs."""
