"""Two methods of a package of their own, as a user would write them: nothing in the framework knows them."""
