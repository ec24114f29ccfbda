"""Message grammars: their notation, their exact parser (pyparsing), and their fast regular expressions for columns."""
