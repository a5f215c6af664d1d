"""Mutation testing: is there a test that notices when a line of the product is wrong?"""
