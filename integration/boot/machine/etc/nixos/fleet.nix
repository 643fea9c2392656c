# The fleet that the image is of: none.
{ }
