"""Pictures made to be looked at: the arithmetic of a layer step by step, as text, picture, animation and page."""
