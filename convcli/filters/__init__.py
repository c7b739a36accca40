"""Pictures through layers: a request becomes a recipe, its stages a plan, and the plan runs."""
