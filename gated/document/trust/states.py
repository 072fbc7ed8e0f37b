"""Issuing states: the two letters that certificates use against the codes in the machine-readable zone.

Doc 9303-3 section 5 takes ISO 3166-1 alpha-3 with exceptions: Germany is `D`, some codes are for kinds of
British nationals, and organisations have codes of their own. Certificates (Doc 9303-12 section 7.1.1)
carry ISO 3166-1 alpha-2, or what was agreed for organisations.
"""

_ISO_3166 = """
AD:AND AE:ARE AF:AFG AG:ATG AI:AIA AL:ALB AM:ARM AO:AGO AQ:ATA AR:ARG AS:ASM AT:AUT AU:AUS AW:ABW AX:ALA
AZ:AZE BA:BIH BB:BRB BD:BGD BE:BEL BF:BFA BG:BGR BH:BHR BI:BDI BJ:BEN BL:BLM BM:BMU BN:BRN BO:BOL BQ:BES
BR:BRA BS:BHS BT:BTN BV:BVT BW:BWA BY:BLR BZ:BLZ CA:CAN CC:CCK CD:COD CF:CAF CG:COG CH:CHE CI:CIV CK:COK
CL:CHL CM:CMR CN:CHN CO:COL CR:CRI CU:CUB CV:CPV CW:CUW CX:CXR CY:CYP CZ:CZE DE:DEU DJ:DJI DK:DNK DM:DMA
DO:DOM DZ:DZA EC:ECU EE:EST EG:EGY EH:ESH ER:ERI ES:ESP ET:ETH FI:FIN FJ:FJI FK:FLK FM:FSM FO:FRO FR:FRA
GA:GAB GB:GBR GD:GRD GE:GEO GF:GUF GG:GGY GH:GHA GI:GIB GL:GRL GM:GMB GN:GIN GP:GLP GQ:GNQ GR:GRC GS:SGS
GT:GTM GU:GUM GW:GNB GY:GUY HK:HKG HM:HMD HN:HND HR:HRV HT:HTI HU:HUN ID:IDN IE:IRL IL:ISR IM:IMN IN:IND
IO:IOT IQ:IRQ IR:IRN IS:ISL IT:ITA JE:JEY JM:JAM JO:JOR JP:JPN KE:KEN KG:KGZ KH:KHM KI:KIR KM:COM KN:KNA
KP:PRK KR:KOR KW:KWT KY:CYM KZ:KAZ LA:LAO LB:LBN LC:LCA LI:LIE LK:LKA LR:LBR LS:LSO LT:LTU LU:LUX LV:LVA
LY:LBY MA:MAR MC:MCO MD:MDA ME:MNE MF:MAF MG:MDG MH:MHL MK:MKD ML:MLI MM:MMR MN:MNG MO:MAC MP:MNP MQ:MTQ
MR:MRT MS:MSR MT:MLT MU:MUS MV:MDV MW:MWI MX:MEX MY:MYS MZ:MOZ NA:NAM NC:NCL NE:NER NF:NFK NG:NGA NI:NIC
NL:NLD NO:NOR NP:NPL NR:NRU NU:NIU NZ:NZL OM:OMN PA:PAN PE:PER PF:PYF PG:PNG PH:PHL PK:PAK PL:POL PM:SPM
PN:PCN PR:PRI PS:PSE PT:PRT PW:PLW PY:PRY QA:QAT RE:REU RO:ROU RS:SRB RU:RUS RW:RWA SA:SAU SB:SLB SC:SYC
SD:SDN SE:SWE SG:SGP SH:SHN SI:SVN SJ:SJM SK:SVK SL:SLE SM:SMR SN:SEN SO:SOM SR:SUR SS:SSD ST:STP SV:SLV
SX:SXM SY:SYR SZ:SWZ TC:TCA TD:TCD TF:ATF TG:TGO TH:THA TJ:TJK TK:TKL TL:TLS TM:TKM TN:TUN TO:TON TR:TUR
TT:TTO TV:TUV TW:TWN TZ:TZA UA:UKR UG:UGA UM:UMI US:USA UY:URY UZ:UZB VA:VAT VC:VCT VE:VEN VG:VGB VI:VIR
VN:VNM VU:VUT WF:WLF WS:WSM YE:YEM YT:MYT ZA:ZAF ZM:ZMB ZW:ZWE
"""

_EXCEPTIONS = {
    "DE": {"D"},
    "CN": {"CHN", "HKG", "MAC"},  # the regions' roots stand under China's country code
    "HK": {"HKG", "CHN"},  # the regions issue passports of China
    "MO": {"MAC", "CHN"},
    "EU": {"EUE"},
    "UN": {"UNO", "UNA", "UNK"},
    "KS": {"RKS"},  # Kosovo has no ISO code: Doc 9303-3 part D and the certificates have their own
    "XK": {"RKS"},
}
# The United Kingdom's root signs for kinds of nationals (Doc 9303-3 part B) and for its territories.
_BRITISH = "GBR GBD GBN GBO GBP GBS AIA BMU CYM FLK GGY GIB IMN IOT JEY MSR PCN SGS SHN TCA VGB"
_EXCEPTIONS |= {two: set(_BRITISH.split()) for two in ("GB", "UK")}

_CODES = {two: {three} for two, _, three in (pair.partition(":") for pair in _ISO_3166.split())} | _EXCEPTIONS


def issuer_codes(country: str) -> frozenset[str]:
    """The codes of issuers (without fillers) whose documents this country signs; empty if unknown.

    Some roots carry the three letters of the documents, or `D`, where two letters belong.
    """
    country = country.upper()
    if country in _CODES:
        return frozenset(_CODES[country])
    return next((frozenset(codes) for codes in _CODES.values() if country in codes), frozenset())


def same_country(one: str, other: str) -> bool:
    """Whether two countries of certificates are one: equal, or of the same issuers (`GB` and `UK`)."""
    if one.upper() == other.upper():
        return True
    return bool(issuer_codes(one)) and not issuer_codes(one).isdisjoint(issuer_codes(other))
