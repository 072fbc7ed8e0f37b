"""Publicly known spellings of historical persons, and namesakes: the score must part the two kinds."""

from gated.watchlist.names.comparison import Person, compare
from gated.watchlist.names.model import MATCH
from gated.watchlist.names.words import name_of

ONE_PERSON = """
Nikita Khrushchev|Никита Сергеевич Хрущёв
Nikita Khrushchev|Chruschtschow Nikita
Pyotr Ilyich Tchaikovsky|Чайковский Пётр Ильич
Peter Tchaikovsky|Pjotr Iljitsch Tschaikowski
Fyodor Mikhailovich Dostoyevsky|Fjodor Dostojewski
Alexander Solzhenitsyn|Alexandre Soljenitsyne
Sergei Rachmaninoff|Сергей Рахманинов
Nikolai Rimsky-Korsakov|Rimskij Korsakov Nikolaj
Vyacheslav Molotov|Wjatscheslaw Molotow
Gamal Abdel Nasser|Jamal Abd al-Nasir
Gamal Abdel Nasser|جمال عبد الناصر
Yasser Arafat|ياسر عرفات
Ruhollah Khomeini|Ayatollah Ruhollah Khomeyni
Ali Abdullah Saleh|Ali Abdallah Salih
Mao Zedong|Mao Tse-tung
Mao Zedong|毛泽东
Zhou Enlai|Chou En-lai
Chiang Kai-shek|蔣介石
Kim Il-sung|Kim Il Song
Syngman Rhee|Rhee Syngman
Ho Chi Minh|Hồ Chí Minh
Vo Nguyen Giap|Võ Nguyên Giáp
Andreas Papandreou|Ανδρέας Παπανδρέου
Mikis Theodorakis|Μίκης Θεοδωράκης
Yitzhak Rabin|יצחק רבין
Mohandas Gandhi|M. K. Gandhi
Jawaharlal Nehru|Pandit Jawaharlal Nehru
Manmohan Singh|Dr Manmohan Singh
Zulfikar Ali Bhutto|Zulfiqar Ali Bhutto
Franz-Josef Strauß|Strauss Franz Josef
Charles de Gaulle|De Gaulle, Charles André Joseph Marie
Charles de Gaulle|Gaulle Charles
Gabriel García Márquez|Gabriel Garcia Marques
Augusto Pinochet|Augusto José Ramón Pinochet Ugarte
Joost van den Vondel|VONDEL JOOST
Lech Wałęsa|Lech Walesa
Nicolae Ceaușescu|Nicolae Ceausescu
Slobodan Milošević|Слободан Милошевић
J. F. Kennedy|John Fitzgerald Kennedy
Ted Kennedy|Edward Kennedy
Bob Dole|Robert J. Dole
Dick Nixon|Richard Milhous Nixon
James Carter|James Earl Carter Jr.
Ramsay MacDonald|Ramsay McDonald
Kathryn Howard|Catherine Howard
Fritz Lang|Friedrich Lang
Albert Einstein|Albert Einstien
Kwame Nkrumah|Kwame N'Krumah
Nana Mouskouri|Νάνα Μούσχουρη
Eleftherios Venizelos|Ελευθέριος Βενιζέλος
Golda Meir|גולדה מאיר
David Ben-Gurion|דוד בן גוריון
Salah al-Din Ahmed|Salahuddin Ahmed
Shams ad-Din Muhammad|Shamsuddin Mohammed
Félix Houphouët-Boigny|Felix Houphouet Boigny
"""
TWO_PERSONS = """
Heinrich Mann|Thomas Mann
Robert Kennedy|John Kennedy
Fidel Castro Ruz|Raul Castro Ruz
Indira Gandhi|Rajiv Gandhi
Benazir Bhutto|Zulfikar Bhutto
Kim Il Sung|Kim Jong Il
Mao Zedong|Mao Anying
Li Peng|Li Xiannian
Park Geun-hye|Park Chung-hee
Nguyen Van Thieu|Nguyen Van Linh
Leonid Brezhnev|Leonid Kravchuk
Sergei Ivanovich Petrov|Sergei Nikolaevich Petrov
Igor Ivanov|Ivan Ivanov
Alexander Popov|Alexei Popov
Boris Yeltsin|Boris Godunov
Hafez al-Assad|Rifaat al-Assad
Faisal bin Abdulaziz|Fahd bin Abdulaziz
Abdul Rahman Khan|Abdul Rahim Khan
Mohammed Hassan|Mahmoud Hassan
Ali Hassan|Ali Hussein
Saddam Hussein|Uday Hussein
Dr. John Smith|Dr. Peter Jones
John Smith|James Smith
Bill Clinton|Hillary Clinton
George Bush|Barbara Bush
Peter Müller|Paul Müller
Hans Schmidt|Hans Schneider
Jean Dupont|Jeanne Dupond
Jose Luis Perez|Jose Maria Perez
Luis Hernandez|Luis Fernandez
Rajesh Kumar|Rakesh Kumar
Kenji Sato|Kenta Sato
Jan Kowalski|Jan Nowak
Marco Rossi|Mauro Rossi
Janos Kovacs|Jozsef Kovacs
Kwame Mensah|Kofi Mensah
Elizabeth Taylor|Elizabeth Warren
محمد علي|محمد عمر
"""


def scores(pairs: str) -> list[float]:
    rows = (row.split("|") for row in pairs.strip().splitlines())
    return [compare(Person(name_of(left)), Person(name_of(right))).score for left, right in rows]


def test_spellings_of_one_name_score_above_namesakes() -> None:
    same, other = scores(ONE_PERSON), scores(TWO_PERSONS)
    in_order = sum(one > two for one in same for two in other)
    assert in_order >= 0.99 * len(same) * len(other)
    found, wrong = sum(one >= MATCH for one in same), sum(two >= MATCH for two in other)
    assert found >= 0.97 * len(same)
    assert wrong <= 0.03 * len(other)
