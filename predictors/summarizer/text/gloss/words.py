"""Parts of the patterns of glosses: parties, units, and what is shared."""

TIME = r"(?:(?:minute|hour|day|week|month|year|fortnight)s?)\b"
_SPELLED = (
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    r"fifteen|sixteen|eighteen|twenty"
    r"(?:[- ]\w{3,5})?|thirty|forty(?:[- ]\w{3,5})?|fifty|sixty|ninety|hundred|a|an|first"
)
NUMBER = (
    rf"\b(?:\d[\d.,]{{0,9}}|{_SPELLED})(?:\)| \(\d{{1,4}}\))?(?: (?:calendar|business|working|"
    r"consecutive|full|clear|more))?[- ]?"
)
MONEY = (
    r"(?:[$€£¥] ?\d|\d[\d.,]{0,9} ?(?:[€£%]|percent|euros?|dollars?|pounds?|pence|cents?|p\b(?!\.? ?m\b)|"
    r"usd|eur|gbp)|\b(?:usd|eur|gbp) ?\d)"
)
CASH = (
    r"(?:[$€£¥] ?\d|\d[\d.,]{0,9} ?(?:€|£|euros?\b|dollars?\b|pounds?\b|pence\b|cents?\b|p\b(?!\.? ?m\b)|"
    r"usd|eur|gbp)|\b(?:usd|eur|gbp) ?\d)"
)
AGE = (
    r"(?:1[2-9]|2[0-9]|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|"
    r"twenty(?:-\w{3,5})?)\b"
)
YOU = (
    "tenant|member|customer|renter|hirer|subscriber|user|cardholder|passenger|guest|student|"
    "buyer|lessee|borrower"
    "|client|policyholder|resident|player|licensee|owner|participant|visitor|bidder|driver"
)
THEM = (
    "company|provider|landlord|lessor|carrier|insurer|bank|operator|lender|school|seller|"
    "club|agent|manufacturer"
    "|organi[sz]er|promoter|hotel|licensor|agency|firm"
)
SHARE = (
    r"(?:share[sd]?|sharing|disclos(?:e|es|ed)|pass(?:es|ed)?(?: on)?|transfer(?:s|red)?|sell|"
    r"sells|sold|suppl(?:y|ies|ied)"
    r"|provide[sd]?|give|handed|hand over|forward(?:ed|s)?|sent|report(?:ed|s)?|tell)"
)
DATA = (
    r"\b(?:data|information|details|names?|address(?:es)?|history|records?|numbers?|images?|"
    r"identit(?:y|ies)|profiles?|contacts?"
    r"|preferences|readings|recordings?|results?|answers|activity|location|e-?mail address|"
    r"samples?)\b"
)
NEGATED = r"\b(?:not|never|nor|no|neither|nobody|cannot|don't|without)\b"
PRICE = (
    r"\b(?:prices?|fees?|charges?|rates?|rents?|premiums?|tariffs?|subscriptions?|"
    r"instal?lments?|monthly payments?)\b"
)
