"""What a file says about its picture: read, kept true while the pixels change, and written again or reported."""
