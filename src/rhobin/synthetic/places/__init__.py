"""Where people are: furnished rooms and the cameras around them."""
