"""What is wrong with a zone, in words for a technician; nothing that the zone says is in them."""

_LABELS = {
    "zone": "zone",
    "document_type": "document code",
    "issuer": "issuing state or organisation",
    "name": "name",
    "surname": "surname",
    "given_names": "given names",
    "document_number": "document number",
    "nationality": "nationality",
    "birth_date": "date of birth",
    "sex": "sex",
    "expiry_date": "date of expiry",
    "optional_data": "optional data",
    "optional_data_2": "second optional data",
    "issuing_office": "issuing office",
    "composite": "whole zone",
}
_FORMS = {
    "document_type": "begin with P (passport), V (visa), or A, C or I (card); its second place has limits",
    "issuer": "be three letters of the list of codes, or D",
    "nationality": "be three letters of the list of codes, or D",
    "name": "be words of letters: one filler between words, two before the given names, fillers to the end",
    "surname": "be words of letters with fillers between and after",
    "given_names": "be words of letters with fillers between and after",
    "document_number": "have letters or digits, in the French card a month of issue and a serial",
    "birth_date": "be YYMMDD with a month and day that exist, and << for each part that is unknown",
    "expiry_date": "be YYMMDD with a month and day that exist",
    "sex": "be F, M or <",
    "issuing_office": "be letters and digits, fillers after them",
}


def sentence(name: str, reason: str) -> str:
    """What is wrong, for a technician."""
    label = _LABELS[name]
    match reason:
        case "characters":
            return f"In the {label} stands a character that is none of A to Z, 0 to 9 and <."
        case "code" if name == "issuer":
            return "The issuer is not among the states and organisations of Doc 9303-3 section 5."
        case "code":
            return "The nationality is not among the codes of Doc 9303-3 section 5."
        case "filler":
            return "A long document number runs on in the optional data: rest, check digit, filler."
        case "check_digit":
            return f"The check digit of the {label} does not fit: misread, or not genuine."
        case _:
            return f"The {label} must {_FORMS[name]}."
