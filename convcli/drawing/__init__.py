"""Drawings that explain layers and networks, as text, pictures, animations and web pages."""
