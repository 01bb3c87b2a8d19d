"""The business roles: the lane that numbers and appends, and the rules' users on top of it."""
