"""Whether two names, birth dates and nationalities may be those of one person. No I/O but the table it ships.

Names are compared in the letters of the machine-readable zone (Doc 9303-3, 4.6 and 6): each written word has
a *set* of forms there, since issuers transliterate differently, and words may be missing, swapped, joined,
cut or shortened to initials. The score in [0, 1] orders hits; what a score leads to is policy.
"""
