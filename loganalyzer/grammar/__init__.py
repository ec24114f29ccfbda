"""Message grammars: the notation, its meaning (pyparsing) and its fast form (regular expressions over columns)."""
