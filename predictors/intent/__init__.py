"""Intent: is a text a greeting, a question, a complaint, praise, or none of these?"""
