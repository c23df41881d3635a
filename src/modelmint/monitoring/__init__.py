"""What live traffic tells of a release: feedback and stored inputs; drift and what follows from it come later."""
