"""Entries and lists for Hypothesis: few distinct values, so that lists overlap."""

from hypothesis import strategies as st

from gated.watchlist.snapshot import DocumentEntry, Entry, PersonEntry, encode_entry

documents = st.builds(
    DocumentEntry,
    number=st.from_regex(r"[A-Z0-9]{1,3}", fullmatch=True),
    issuer=st.sampled_from(["UTO", "D", "FRA"]),
    type=st.sampled_from(["", "P", "ID"]),
    grade=st.sampled_from(["silent", "refer", "stop"]),
    reason=st.just("stolen"),
    reference=st.sampled_from(["R-1", "R-2"]),
)
persons = st.builds(
    PersonEntry,
    surname=st.sampled_from(["ERIKSSON", "VAN DER MUSTER"]),
    given=st.sampled_from(["ANNA MARIA", ""]),
    birth=st.sampled_from(["1974-08-12", "1974-XX-XX", "XXXX-XX-XX"]),
    nationality=st.sampled_from(["UTO", ""]),
    grade=st.just("refer"),
    reason=st.just("exit_ban"),
    reference=st.from_regex(r"C/[0-9]", fullmatch=True),
)
lists: st.SearchStrategy[frozenset[Entry]] = st.frozensets(st.one_of(documents, persons), max_size=12)


def lines_of(entries: frozenset[Entry]) -> list[bytes]:
    return sorted(encode_entry(entry) for entry in entries)
