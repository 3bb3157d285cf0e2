"""Rasa actions: thin. They decide what is shown next; the gateway looks it up, renders and sends it.

An action that needs the directory, the person's channel or her stored state asks the gateway with a message
`{"show": …}` or `{"do": …}` (bot/conversation/effects.py lists them): the engine has no database and no network.
"""
