"""The codes of states, organisations and kinds of persons (Doc 9303-3 section 5), with their meaning.

A code is three letters, or `D`. Parts A to H are those of the standard; withdrawn codes, which ISO 3166
has given up since machine-readable documents exist, still stand in documents and in nationalities.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Where a code comes from, and so what it may say."""

    STATE = "state"  # part A: ISO 3166-1, and what the standard has in place of it or beside it
    UNION = "union"  # part B
    UNITED_NATIONS = "united_nations"  # part C
    ORGANISATION = "organisation"  # part D
    PERSON = "person"  # part E: a nationality that is none
    WITHDRAWN = "withdrawn"  # part F, and others that ISO 3166-3 lists
    SPECIMEN = "specimen"  # part G
    SIGNATURE = "signature"  # part H: in certificates only


@dataclass(frozen=True, slots=True)
class Code:
    """`letters` without fillers."""

    letters: str
    meaning: str
    kind: Kind

    @property
    def may_issue(self) -> bool:
        """Whether it may stand for the issuer of a document."""
        return self.kind not in {Kind.PERSON, Kind.SIGNATURE}

    @property
    def may_be_nationality(self) -> bool:
        """Whether it may stand for the nationality of a holder; officials have their organisation's."""
        return self.kind is not Kind.SIGNATURE


_TABLE: Mapping[Kind, str] = {
    Kind.STATE: """
ABW Aruba
AFG Afghanistan
AGO Angola
AIA Anguilla
ALA Åland Islands
ALB Albania
AND Andorra
ARE United Arab Emirates
ARG Argentina
ARM Armenia
ASM American Samoa
ATA Antarctica
ATF French Southern Territories
ATG Antigua & Barbuda
AUS Australia
AUT Austria
AZE Azerbaijan
BDI Burundi
BEL Belgium
BEN Benin
BES Bonaire, Sint Eustatius and Saba
BFA Burkina Faso
BGD Bangladesh
BGR Bulgaria
BHR Bahrain
BHS Bahamas
BIH Bosnia & Herzegovina
BLM Saint Barthélemy
BLR Belarus
BLZ Belize
BMU Bermuda
BOL Bolivia
BRA Brazil
BRB Barbados
BRN Brunei
BTN Bhutan
BVT Bouvet Island
BWA Botswana
CAF Central African Republic
CAN Canada
CCK Cocos (Keeling) Islands
CHE Switzerland
CHL Chile
CHN China
CIV Côte d'Ivoire
CMR Cameroon
COD Congo (Democratic Republic)
COG Congo (Republic)
COK Cook Islands
COL Colombia
COM Comoros
CPV Cabo Verde
CRI Costa Rica
CUB Cuba
CUW Curaçao
CXR Christmas Island
CYM Cayman Islands
CYP Cyprus
CZE Czechia
DJI Djibouti
DMA Dominica
DNK Denmark
DOM Dominican Republic
DZA Algeria
ECU Ecuador
EGY Egypt
ERI Eritrea
ESH Western Sahara
ESP Spain
EST Estonia
ETH Ethiopia
FIN Finland
FJI Fiji
FLK Falkland Islands
FRA France
FRO Faroe Islands
FSM Micronesia
GAB Gabon
GBR United Kingdom
GEO Georgia
GGY Guernsey
GHA Ghana
GIB Gibraltar
GIN Guinea
GLP Guadeloupe
GMB Gambia
GNB Guinea-Bissau
GNQ Equatorial Guinea
GRC Greece
GRD Grenada
GRL Greenland
GTM Guatemala
GUF French Guiana
GUM Guam
GUY Guyana
HKG Hong Kong
HMD Heard Island & McDonald Islands
HND Honduras
HRV Croatia
HTI Haiti
HUN Hungary
IDN Indonesia
IMN Isle of Man
IND India
IOT British Indian Ocean Territory
IRL Ireland
IRN Iran
IRQ Iraq
ISL Iceland
ISR Israel
ITA Italy
JAM Jamaica
JEY Jersey
JOR Jordan
JPN Japan
KAZ Kazakhstan
KEN Kenya
KGZ Kyrgyzstan
KHM Cambodia
KIR Kiribati
KNA St Kitts & Nevis
KOR Republic of Korea
KWT Kuwait
LAO Laos
LBN Lebanon
LBR Liberia
LBY Libya
LCA St Lucia
LIE Liechtenstein
LKA Sri Lanka
LSO Lesotho
LTU Lithuania
LUX Luxembourg
LVA Latvia
MAC Macao
MAF St Martin (French)
MAR Morocco
MCO Monaco
MDA Moldova
MDG Madagascar
MDV Maldives
MEX Mexico
MHL Marshall Islands
MKD North Macedonia
MLI Mali
MLT Malta
MMR Myanmar
MNE Montenegro
MNG Mongolia
MNP Northern Mariana Islands
MOZ Mozambique
MRT Mauritania
MSR Montserrat
MTQ Martinique
MUS Mauritius
MWI Malawi
MYS Malaysia
MYT Mayotte
NAM Namibia
NCL New Caledonia
NER Niger
NFK Norfolk Island
NGA Nigeria
NIC Nicaragua
NIU Niue
NLD Netherlands
NOR Norway
NPL Nepal
NRU Nauru
NZL New Zealand
OMN Oman
PAK Pakistan
PAN Panama
PCN Pitcairn
PER Peru
PHL Philippines
PLW Palau
PNG Papua New Guinea
POL Poland
PRI Puerto Rico
PRK Democratic People's Republic of Korea
PRT Portugal
PRY Paraguay
PSE State of Palestine
PYF French Polynesia
QAT Qatar
REU Réunion
ROU Romania
RUS Russia
RWA Rwanda
SAU Saudi Arabia
SDN Sudan
SEN Senegal
SGP Singapore
SGS South Georgia & the South Sandwich Islands
SHN St Helena
SJM Svalbard & Jan Mayen
SLB Solomon Islands
SLE Sierra Leone
SLV El Salvador
SMR San Marino
SOM Somalia
SPM St Pierre & Miquelon
SRB Serbia
SSD South Sudan
STP Sao Tome & Principe
SUR Suriname
SVK Slovakia
SVN Slovenia
SWE Sweden
SWZ Eswatini
SXM St Maarten (Dutch)
SYC Seychelles
SYR Syria
TCA Turks & Caicos Islands
TCD Chad
TGO Togo
THA Thailand
TJK Tajikistan
TKL Tokelau
TKM Turkmenistan
TLS Timor-Leste
TON Tonga
TTO Trinidad & Tobago
TUN Tunisia
TUR Turkey
TUV Tuvalu
TWN Taiwan
TZA Tanzania
UGA Uganda
UKR Ukraine
UMI US minor outlying islands
URY Uruguay
USA United States
UZB Uzbekistan
VAT Holy See (Vatican City)
VCT St Vincent
VEN Venezuela
VGB Virgin Islands (UK)
VIR Virgin Islands (US)
VNM Vietnam
VUT Vanuatu
WLF Wallis & Futuna
WSM Samoa
YEM Yemen
ZAF South Africa
ZMB Zambia
ZWE Zimbabwe
D Germany
GBD British Overseas Territories citizen
GBN British National (Overseas)
GBO British Overseas citizen
GBP British protected person
GBS British subject
RKS Kosovo
""",
    Kind.UNION: """
EUE European Union
""",
    Kind.UNITED_NATIONS: """
UNO United Nations
UNA specialised agency of the United Nations
UNK resident of Kosovo with a document of the UN mission (UNMIK)
""",
    Kind.ORGANISATION: """
XBA African Development Bank
XIM African Export-Import Bank
XCC Caribbean Community
XCE Council of Europe
XCO Common Market for Eastern and Southern Africa
XEC Economic Community of West African States
XPO INTERPOL
XES Organization of Eastern Caribbean States
XMP Parliamentary Assembly of the Mediterranean
XOM Sovereign Military Order of Malta
XDC Southern African Development Community
""",
    Kind.PERSON: """
XXA stateless person (convention of 1954)
XXB refugee (convention of 1951)
XXC refugee, other than by the convention
XXX person of unspecified nationality
""",
    Kind.WITHDRAWN: """
ANT Netherlands Antilles
BUR Burma
CSK Czechoslovakia
DDR German Democratic Republic
FXX France, metropolitan
NTZ Neutral Zone
ROM Romania
SCG Serbia and Montenegro
SUN Soviet Union
TMP East Timor
YMD Yemen, Democratic
YUG Yugoslavia
ZAR Zaire
""",
    Kind.SPECIMEN: """
UTO Utopia
""",
    Kind.SIGNATURE: """
IAO International Civil Aviation Organization
""",
}


def _codes() -> Iterator[Code]:
    for kind, rows in _TABLE.items():
        for row in rows.strip().splitlines():
            letters, _, meaning = row.partition(" ")
            yield Code(letters, meaning, kind)


CODES: Mapping[str, Code] = {code.letters: code for code in _codes()}
ISSUERS = frozenset(f"{code.letters:<<3}" for code in CODES.values() if code.may_issue)
"""What may stand in the three places of the issuer, fillers included."""
NATIONALITIES = frozenset(f"{code.letters:<<3}" for code in CODES.values() if code.may_be_nationality)
"""What may stand in the three places of the nationality, fillers included."""
